import type { Command } from 'commander';
import { AGENT_VERSION } from '../../client/agent-version.ts';
import { withGeneralOptions } from '../general-options.ts';
import type { CommandLine, CommonFlags } from '../invocation.ts';

/** `cofre version` */
export function addVersionCommand(program: Command, { say, run }: CommandLine): void {
  withGeneralOptions(program.command('version'), say)
    .description(say('versionDescription'))
    .action(async (flags: CommonFlags) =>
      run(flags, async ({ output }) => {
        const fields = { version: AGENT_VERSION, node: process.versions.node };
        output.row('version', fields, () => `cofre ${AGENT_VERSION}`);
      }),
    );
}
