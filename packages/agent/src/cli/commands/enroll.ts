import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import type { Command } from 'commander';
import { withGeneralOptions } from '../general-options.ts';
import type { CommandLine, CommonFlags, Invocation } from '../invocation.ts';
import { readListFile } from '../source-paths.ts';

interface EnrollFlags extends CommonFlags {
  readonly kit: string;
  readonly name?: string;
  readonly language?: string;
}

/** `cofre enroll LINE --kit FILE` */
export function addEnrollCommand(program: Command, { say, run, environment }: CommandLine): void {
  withGeneralOptions(program.command('enroll'), say)
    .description(say('enrollDescription'))
    .argument('[line]', say('enrollLine'))
    .requiredOption('--kit <file>', say('enrollKit'))
    .option('--name <name>', say('enrollName'))
    .option('--language <language>', say('enrollLanguage'))
    .action(async (line: string | undefined, flags: EnrollFlags) =>
      run(flags, async (invocation) => {
        const text = await readLine(line, environment['COFRE_ENROLL_LINE_FILE']);
        await enroll(invocation, text, flags);
      }),
    );
}

async function enroll(invocation: Invocation, line: string, flags: EnrollFlags): Promise<void> {
  const { enrolDevice } = await import('../../enrolment/enrol-device.ts');
  const { createServerClient } = await import('../../client/http-client.ts');
  const { clientOptions } = await import('../open-context.ts');
  const { output, say, language, folders } = invocation;
  const { identity, fingerprint, madeKit } = await enrolDevice({
    line,
    stateFolder: folders.stateFolder,
    kitFile: resolve(flags.kit),
    deviceName: flags.name ?? defaultName(),
    language: kitLanguage(flags.language) ?? language,
    connect: (settings) => createServerClient(settings, clientOptions(invocation, settings.address)),
  });
  const { tenantId, tenantName, deviceId, deviceName, kitFile } = identity;
  const fields = {
    tenant_id: tenantId,
    tenant: tenantName,
    device_id: deviceId,
    device: deviceName,
    kit_file: kitFile,
    kit_made: madeKit,
    fingerprint,
  };
  output.summary(fields, () => [
    say('enrolled', { device: deviceName, tenant: tenantName }),
    ...(madeKit
      ? [say('kitMade', { file: kitFile }), say('kitWarning')]
      : [say('kitFits', { file: kitFile })]),
    `${say('fingerprint')}: ${fingerprint}`,
  ]);
}

async function readLine(line: string | undefined, file: string | undefined): Promise<string> {
  if (line !== undefined && line !== '-') return line;
  const source = line ?? file ?? '';
  if (source === '') throw new CofreError('usage', { problem: 'the enrolment line is missing' });
  return (await readListFile(source)).toString('utf8').trim();
}

function kitLanguage(wanted: string | undefined): 'es' | 'en' | undefined {
  if (wanted === undefined || wanted === 'es' || wanted === 'en') return wanted;
  throw new CofreError('usage', { problem: `--language takes es or en, not "${wanted}"` });
}

function defaultName(): string {
  const name = hostname()
    .replace(/\p{Cc}/gu, '')
    .trim()
    .slice(0, LIMITS.nameCharactersMax);
  return name === '' ? 'computer' : name;
}
