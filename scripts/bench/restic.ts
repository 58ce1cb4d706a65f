import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from './contender.ts';
import { run } from './run-command.ts';
import { ServerProcess, freePort } from './server-process.ts';

/** restic against `rclone serve restic`: the nearest thing to an agent and a server, over the loopback. */
export const restic: Contender = {
  name: 'restic',
  needs: { restic: 'restic', rclone: 'rclone' },
  version: () => execFileSync('restic', ['version'], { encoding: 'utf8' }).split(' ').slice(0, 2).join(' '),

  async open(folder) {
    const store = join(folder, 'store');
    mkdirSync(store);
    const port = await freePort();
    const serve = [
      'serve',
      'restic',
      '--addr',
      `127.0.0.1:${port}`,
      '--config',
      join(folder, 'rclone.conf'),
      store,
    ];
    const server = await ServerProcess.start(
      { file: 'rclone', arguments: serve },
      port,
      join(folder, 'server.log'),
    );
    const env = {
      RESTIC_REPOSITORY: `rest:http://127.0.0.1:${port}/`,
      RESTIC_PASSWORD: 'bench',
      RESTIC_CACHE_DIR: join(folder, 'cache'),
    };
    await run({ file: 'restic', arguments: ['init', '--quiet'], env });
    return {
      server,
      storeFolders: [store],
      backup: (source) => ({ file: 'restic', arguments: ['backup', '--quiet', source], env }),
      restore: (target) => ({
        file: 'restic',
        arguments: ['restore', 'latest', '--quiet', '--target', target],
        env,
      }),
      close: () => server.stop(),
    };
  },
};
