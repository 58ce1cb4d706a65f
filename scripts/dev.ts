// `pnpm dev`: a server on a fixed port that restarts when its sources change, with a tenant, an enrolled agent and a
// first backup. All of it lies in .cofre/dev and is kept: the next start goes on with it.

import { mkdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { seed, type DevelopmentPlace } from './dev/seed.ts';
import { ChildPrograms, ProgramFailed } from './programs/child-programs.ts';
import { CofreServer } from './programs/cofre-server.ts';

const LISTEN = '127.0.0.1:4880';
const WATCHED = ['packages/server/src', 'packages/shared/src'];

const root = dirname(import.meta.dirname);
const folder = join(root, '.cofre/dev');
const shownFolder = relative(root, folder);

const place: DevelopmentPlace = {
  data: join(folder, 'data'),
  store: join(folder, 'store'),
  state: join(folder, 'state'),
  kit: join(folder, 'kit.txt'),
  lineFile: join(folder, 'line.txt'),
  source: join(root, 'packages/shared/src'),
};

const HOW_TO_USE = `
Cofre runs at http://${LISTEN}, and restarts when ${WATCHED.join(' or ')} changes.
In another terminal:

  export COFRE_DATA=${place.data} COFRE_STORE=${place.store}
  export COFRE_STATE=${place.state} COFRE_KIT_FILE=${place.kit}
  pnpm exec cofre backup docs
  pnpm exec cofre snapshots --kit $COFRE_KIT_FILE
  pnpm exec cofre restore latest --target /tmp/restored --kit $COFRE_KIT_FILE
  pnpm exec cofre-server stats

Ctrl-C stops it. To start anew, delete ${shownFolder}.
`;

async function develop(interruption: AbortSignal, programs: ChildPrograms): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const server = new CofreServer(programs, place);
  const nodeFlags = [
    '--watch',
    '--watch-preserve-output',
    ...WATCHED.map((path) => `--watch-path=${join(root, path)}`),
  ];
  const { process: running } = await server.serve(LISTEN, null, {
    nodeFlags,
    onListening: (origin) => console.log(`The server listens on ${origin}`),
  });
  for (const line of await seed(programs, server, place)) console.log(line);
  console.log(HOW_TO_USE);
  await new Promise<void>((_, reject) => {
    interruption.addEventListener('abort', () => reject(new Error('interrupted')));
    running.once('exit', (status) => reject(new Error(`The server ended with ${status}`)));
  });
}

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interruption.abort());
const programs = new ChildPrograms(interruption.signal);
try {
  await develop(interruption.signal, programs);
} catch (error) {
  await programs.stopAll();
  if (!interruption.signal.aborted) {
    const isOurs = error instanceof ProgramFailed || error instanceof Error;
    console.error(`\n${isOurs ? error.message : String(error)}`);
    console.error(`Is another \`pnpm dev\` running? To start anew, delete ${shownFolder}.`);
    process.exitCode = 1;
  }
}
