import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Contender } from './contender.ts';
import { run } from './run-command.ts';

/** borg on a local repository: without a server, which is in its favour. */
export const borg: Contender = {
  name: 'borg',
  needs: { borg: 'borgbackup' },
  version: () => execFileSync('borg', ['--version'], { encoding: 'utf8' }).trim(),

  async open(folder) {
    const store = join(folder, 'store');
    const env = { BORG_REPO: store, BORG_PASSPHRASE: 'bench', BORG_BASE_DIR: join(folder, 'base') };
    await run({ file: 'borg', arguments: ['init', '--encryption', 'repokey-blake2'], env });
    let backups = 0;
    return {
      server: null,
      storeFolders: [store],
      backup: (source) => ({ file: 'borg', arguments: ['create', `::backup-${++backups}`, source], env }),
      restore: (target) => ({
        file: 'borg',
        arguments: ['extract', `::backup-${backups}`],
        env,
        cwd: target,
      }),
      close: () => Promise.resolve(),
    };
  },
};
