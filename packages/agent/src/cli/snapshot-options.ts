import type { Command } from 'commander';
import type { SnapshotArgument } from '../vault-reader/vault-reader.ts';
import type { CommonFlags } from './invocation.ts';
import type { Say } from './texts.ts';

/** What the commands that read a snapshot take. */
export interface SnapshotFlags extends CommonFlags {
  readonly kit?: string;
  readonly device?: string;
  readonly set?: string;
  readonly allowUnconfirmed?: boolean;
}

/** Adds the kit, and how a snapshot is chosen. */
export function withSnapshotOptions(command: Command, say: Say): Command {
  return command
    .option('--kit <file>', say('kitOption'))
    .option('--device <device>', say('deviceOption'))
    .option('--set <name>', say('setOption'))
    .option('--allow-unconfirmed', say('unconfirmedOption'));
}

/** The snapshot that is meant. */
export function snapshotArgument(snapshot: string, flags: SnapshotFlags): SnapshotArgument {
  const { device, set, allowUnconfirmed } = flags;
  return { snapshot, device, set, allowUnconfirmed };
}
