import { byteStringFromText, displayName } from '@cofre/shared/bytes';
import type { SnapshotInfo } from '@cofre/shared/format/snapshot-info';
import type { Command } from 'commander';
import type { Snapshot } from '../../vault-reader/snapshot.ts';
import { withGeneralOptions } from '../general-options.ts';
import type { CommandLine, CommonFlags, Invocation } from '../invocation.ts';
import { absolutePath, pathFields } from '../path-fields.ts';
import { formatBytes, formatMoment } from '../quantities.ts';
import { KIND_TEXTS } from '../snapshot-kinds.ts';
import { formatTable } from '../table.ts';
import type { Say } from '../texts.ts';

interface SnapshotsFlags extends CommonFlags {
  readonly kit?: string;
}

interface ListedSnapshot {
  readonly snapshot: Snapshot;
  /** As the server has it; null where this computer may not see it. */
  readonly deviceName: string | null;
  /** Null without the kit, and where it cannot be opened. */
  readonly info: SnapshotInfo | null;
}

const COLUMNS = ['left', 'left', 'left', 'left', 'left', 'right', 'right', 'left', 'left'] as const;
const ID_CHARACTERS = 12;
const SHORT_ID_CHARACTERS = 8;

/** `cofre snapshots [--kit FILE]` */
export function addSnapshotsCommand(program: Command, { say, run }: CommandLine): void {
  withGeneralOptions(program.command('snapshots'), say)
    .description(say('snapshotsDescription'))
    .option('--kit <file>', say('kitOption'))
    .action(async (flags: SnapshotsFlags) => run(flags, async (invocation) => list(invocation, flags.kit)));
}

async function list(invocation: Invocation, kitFile: string | undefined): Promise<void> {
  const { checkChains } = await import('../../vault-reader/snapshot-chain.ts');
  const { output, say } = invocation;
  const { hasKit, listed: all } = await read(invocation, kitFile);
  const listed = all.filter(({ snapshot }) => snapshot.state !== 'gone');
  if (output.isJson) {
    for (const item of listed) output.row('snapshot', fieldsOf(item), () => '');
  } else {
    for (const line of linesOf(listed, hasKit, say)) output.row('snapshot', {}, () => line);
  }
  output.flush();
  for (const finding of checkChains(all.map(({ snapshot }) => snapshot))) {
    const { code, snapshotId, deviceId, setId, detail } = finding;
    const fields = { code, snapshot_id: snapshotId, device_id: deviceId, set_id: setId, detail };
    output.problem('error', fields, say('chainFinding', { id: snapshotId.slice(0, ID_CHARACTERS), detail }));
  }
  if (listed.length === 0) output.note(say('snapshotsNone'));
  else if (!hasKit) output.note(say('snapshotsKitHint'));
}

/** With the kit everything of the account, with its names; without it what this computer brought. */
async function read(
  invocation: Invocation,
  kitFile: string | undefined,
): Promise<{ hasKit: boolean; listed: ListedSnapshot[] }> {
  const { openContext } = await import('../open-context.ts');
  const { optionalKit } = await import('../kit-argument.ts');
  const kit = await optionalKit(kitFile);
  const { context } = await openContext(invocation);
  if (kit === null) {
    const { fetchConfirmedRoster } = await import('../../vault-reader/confirmed-roster.ts');
    const { listSnapshots } = await import('../../vault-reader/snapshot-list.ts');
    const snapshots = await listSnapshots(context.client, await fetchConfirmedRoster(context));
    const names = await deviceNames(context.client);
    const listed = snapshots.map((snapshot) => {
      return { snapshot, deviceName: names.get(snapshot.deviceId) ?? null, info: null };
    });
    return { hasKit: false, listed };
  }
  const { VaultReader } = await import('../../vault-reader/vault-reader.ts');
  const vault = await VaultReader.open(context, kit);
  const names = await deviceNames(context.client);
  const listed: ListedSnapshot[] = [];
  for (const snapshot of await vault.snapshots()) {
    const { manifest, deviceId } = snapshot;
    const info = manifest === null ? null : await vault.info({ ...snapshot, manifest }).catch(noInfo);
    listed.push({ snapshot, deviceName: names.get(deviceId) ?? null, info });
  }
  return { hasKit: true, listed };
}

async function deviceNames(client: { devices(): Promise<readonly { deviceId: string; name: string }[]> }) {
  return new Map((await client.devices()).map(({ deviceId, name }) => [deviceId, name]));
}

function fieldsOf({ snapshot, deviceName, info }: ListedSnapshot): object {
  const { manifest } = snapshot;
  return {
    snapshot_id: snapshot.snapshotId,
    number: snapshot.number,
    device_id: snapshot.deviceId,
    device: deviceName,
    set_id: snapshot.setId,
    received: snapshot.received,
    locked_until: snapshot.lockedUntil,
    state: snapshot.state,
    content_until: snapshot.contentUntil,
    standing: snapshot.standing,
    problem: snapshot.problem,
    ...(manifest === null
      ? {}
      : {
          sequence: manifest.sequence,
          kind: manifest.kind,
          base: manifest.base,
          requires: manifest.requires,
          is_complete: manifest.isComplete,
          started: isoTime(manifest.startedNs),
          finished: isoTime(manifest.finishedNs),
          files: manifest.statistics.files,
          folders: manifest.statistics.folders,
          bytes: manifest.statistics.bytes,
          files_failed: manifest.statistics.failed,
        }),
    ...(info === null
      ? {}
      : {
          set: info.setName,
          host: info.hostName,
          roots: info.roots.map((root) => pathFields(absolute(root))),
          excludes: info.excludes,
        }),
  };
}

function linesOf(listed: readonly ListedSnapshot[], hasKit: boolean, say: Say): string[] {
  if (listed.length === 0) return [];
  const titles = [
    say('columnSnapshot'),
    say('columnTime'),
    say('columnDevice'),
    say('columnSet'),
    say('columnKind'),
    say('columnFiles'),
    say('columnSize'),
    say('columnState'),
    ...(hasKit ? [say('columnPaths')] : []),
  ];
  const rows = listed.map((item) => cellsOf(item, say));
  return formatTable([titles, ...rows], COLUMNS);
}

function cellsOf({ snapshot, deviceName, info }: ListedSnapshot, say: Say): string[] {
  const { manifest } = snapshot;
  return [
    snapshot.snapshotId.slice(0, ID_CHARACTERS),
    formatMoment(new Date(snapshot.received)),
    deviceName === null ? snapshot.deviceId.slice(0, SHORT_ID_CHARACTERS) : printable(deviceName),
    info === null ? snapshot.setId.slice(0, SHORT_ID_CHARACTERS) : printable(info.setName),
    manifest === null ? '' : say(KIND_TEXTS[manifest.kind]),
    manifest === null ? '' : String(manifest.statistics.files),
    manifest === null ? '' : formatBytes(manifest.statistics.bytes),
    stateOf(snapshot, say),
    ...(info === null ? [] : [info.roots.map((root) => displayName(absolute(root))).join(' ')]),
  ];
}

function stateOf({ standing, problem, manifest, state, contentUntil }: Snapshot, say: Say): string {
  if (standing === 'unreadable') return say('stateUnreadable', { problem: printable(problem) });
  if (standing === 'unconfirmed') return say('stateUnconfirmed', { problem: printable(problem) });
  const extent = say(manifest?.isComplete === true ? 'stateComplete' : 'statePartial');
  if (state !== 'deleted' || contentUntil === null) return extent;
  return say('stateDeleted', { extent, until: formatMoment(new Date(contentUntil)) });
}

/** What cannot be opened is listed all the same, without its names. */
function noInfo(): null {
  return null;
}

function absolute(root: SnapshotInfo['roots'][number]): SnapshotInfo['roots'][number] {
  return root.startsWith('/') ? root : absolutePath(root);
}

function isoTime(ns: bigint): string {
  return new Date(Number(ns / 1_000_000n)).toISOString();
}

function printable(text: string): string {
  return displayName(byteStringFromText(text));
}
