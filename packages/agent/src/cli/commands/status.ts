import type { Command } from 'commander';
import { withGeneralOptions } from '../general-options.ts';
import type { CommandLine, CommonFlags, Invocation } from '../invocation.ts';
import { formatBytes, formatMoment } from '../quantities.ts';
import { formatTable } from '../table.ts';

/** `cofre status` */
export function addStatusCommand(program: Command, { say, run }: CommandLine): void {
  withGeneralOptions(program.command('status'), say)
    .description(say('statusDescription'))
    .action(async (flags: CommonFlags) => run(flags, showStatus));
}

async function showStatus(invocation: Invocation): Promise<void> {
  const { openContext } = await import('../open-context.ts');
  const { output, say, folders } = invocation;
  const { context, stored } = await openContext(invocation);
  const status = await context.client.status();
  let latest: string | null = null;
  for await (const { received } of context.client.snapshots({ device: stored.deviceId })) latest = received;
  const fields = {
    tenant_id: status.tenantId,
    tenant: status.tenantName,
    device_id: status.deviceId,
    device: status.deviceName,
    server: stored.address,
    server_version: status.serverVersion,
    is_suspended: status.isSuspended,
    quota_bytes: status.quotaBytes,
    used_bytes: status.usedBytes,
    latest_snapshot: latest,
    state_folder: folders.stateFolder,
    cache_folder: folders.cacheFolder,
  };
  const quota = {
    used: formatBytes(status.usedBytes),
    quota: formatBytes(status.quotaBytes),
    percent: status.quotaBytes === 0 ? 100 : Math.round((status.usedBytes / status.quotaBytes) * 100),
  };
  const suspended = status.isSuspended ? ` (${say('suspended')})` : '';
  output.summary(fields, () =>
    formatTable(
      [
        [say('account'), `${status.tenantName}${suspended}`],
        [say('computer'), `${status.deviceName} (${status.deviceId})`],
        [say('server'), `${stored.address} (${status.serverVersion})`],
        [say('used'), say('usedOf', quota)],
        [say('latestSnapshot'), latest === null ? say('none') : formatMoment(new Date(latest))],
        [say('enrolledSince'), formatMoment(new Date(stored.enrolled))],
        [say('stateFolder'), folders.stateFolder],
        [say('cacheFolder'), folders.cacheFolder],
      ],
      ['left', 'left'],
    ),
  );
}
