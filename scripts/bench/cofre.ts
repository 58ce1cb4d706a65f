import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Contender } from './contender.ts';
import { run } from './run-command.ts';
import { ServerProcess, freePort } from './server-process.ts';

const root = dirname(dirname(import.meta.dirname));
const MODULE_BYTES = 50 * 1024 * 1024;
/** Room for three backups that share nothing. */
const QUOTA_FACTOR = 3;
const MODULES_MIN = 40;

/** Cofre as it ships: the bundled agent against the bundled server, over the loopback. */
export const cofre: Contender = {
  name: 'cofre',
  needs: {},
  version: () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return `cofre ${manifest.version}`;
  },

  async open(folder, dataBytes) {
    const port = await freePort();
    const dataFolder = join(folder, 'data');
    const storeFolder = join(folder, 'store');
    const listen = `127.0.0.1:${port}`;
    const places = { COFRE_DATA: dataFolder, COFRE_STORE: storeFolder, COFRE_LISTEN: listen };
    const serverCommand = (serverArguments: string[]) => ({
      file: process.execPath,
      arguments: [join(root, 'dist', 'cofre-server.mjs'), ...serverArguments],
      env: places,
    });
    const agentCommand = (agentArguments: string[]) => ({
      file: process.execPath,
      arguments: [join(root, 'dist', 'cofre.mjs'), ...agentArguments],
      env: { COFRE_STATE: join(folder, 'state') },
    });
    const kit = join(folder, 'kit.txt');
    const serve = serverCommand(['serve', '--data', dataFolder, '--store', storeFolder, '--listen', listen]);
    const server = await ServerProcess.start(serve, port, join(folder, 'server.log'));
    const modules = Math.max(MODULES_MIN, Math.ceil((QUOTA_FACTOR * dataBytes) / MODULE_BYTES));
    await run(serverCommand(['tenant', 'create', 'bench', '--modules', String(modules), '--json']));
    const line = (await run(serverCommand(['device', 'invite', 'bench']))).trim();
    await run(agentCommand(['enroll', line, '--kit', kit]));
    return {
      server,
      storeFolders: [storeFolder, dataFolder],
      backup: (source) => agentCommand(['backup', source, '--json']),
      restore: (target) => agentCommand(['restore', 'latest', '--target', target, '--kit', kit]),
      close: () => server.stop(),
    };
  },
};
