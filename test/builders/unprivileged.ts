import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { NOT_WRAPPED, type Wrap } from './server-process.ts';

const PROJECT = join(import.meta.dirname, '../..');
/** `nobody`. */
const USER = 65_534;

/** Somebody who may not read and do everything: whoever runs the tests, or `nobody` when root does. */
export interface Unprivileged {
  readonly wrap: Wrap;
  /** Hands a folder over. */
  give(folder: string): void;
  /** Runs JavaScript (an ES module) to its end. @throws Error when it fails */
  runScript(script: string, ...words: string[]): void;
}

/**
 * @param scratch an empty folder: `nobody` sees the project there, which may lie where only root can go. As root this
 *   needs `setpriv`, `unshare` and `mount`.
 */
export function unprivileged(scratch: string): Unprivileged {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) mkdirSync(scratch, { recursive: true });
  const wrap = isRoot ? asNobody(scratch) : NOT_WRAPPED;
  return {
    wrap,
    give: (folder) => {
      mkdirSync(folder, { recursive: true });
      if (isRoot) chownSync(folder, USER, USER);
      chmodSync(folder, 0o755);
    },
    runScript: (script, ...words) => {
      const command = [process.execPath, '--input-type=module', '-e', script, ...words];
      const [program = '', ...rest] = wrap(command);
      const run = spawnSync(program, rest, { encoding: 'utf8', cwd: '/' });
      if (run.status !== 0) throw new Error(`the script failed: ${run.stderr}`);
    },
  };
}

function asNobody(scratch: string): Wrap {
  const mount = 'mount --bind "$1" "$2" && shift 2 && exec setpriv "$@"';
  const ids = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'];
  return (command) => {
    const seen = command.map((word) => word.replaceAll(PROJECT, scratch));
    return ['unshare', '-m', 'sh', '-c', mount, 'sh', PROJECT, scratch, ...ids, ...seen];
  };
}
