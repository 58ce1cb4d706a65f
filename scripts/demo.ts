// `npm run demo [-- FOLDER]`: a real folder goes in, is changed, lost, and comes back byte for byte. Exits with 0 only
// if all of it held. Everything is made in a temporary folder, which stays when something fails.

import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatBytes, formatDuration } from '@cofre/agent/cli/quantities';
import { removeTree } from '../test/builders/remove-tree.ts';
import { DemoFailure } from './demo/demo-failure.ts';
import { formatCount } from './demo/format-count.ts';
import { Narrator } from './demo/narrator.ts';
import { Scenario } from './demo/scenario.ts';
import { findSource, type Source } from './demo/source-folder.ts';
import { summaryLines } from './demo/summary.ts';
import { ChildPrograms, ProgramFailed } from './programs/child-programs.ts';

const USAGE = `Usage: npm run demo [-- FOLDER]

Backs a folder up to a server that is started for it, changes some files, backs up again, loses everything but the
recovery kit, restores both snapshots on another computer, and compares. FOLDER is copied first and only read; without
it, the demo takes one that this machine has.`;

const INTERRUPTIONS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Thrown by whatever is going on when somebody ends the demo. */
class Interrupted extends Error {
  readonly status: number;

  constructor(status: number) {
    super('interrupted');
    this.status = status;
  }
}

/** @throws DemoFailure, ProgramFailed, Interrupted */
async function play(
  source: Source,
  folder: string,
  narrator: Narrator,
  programs: ChildPrograms,
): Promise<void> {
  const startedMs = performance.now();
  const { files, bytes } = source.size;
  narrator.line(narrator.styled('bold', `Cofre demo with ${source.path}`));
  narrator.line(
    `${formatCount(files)} files, ${formatBytes(bytes)}. They are only read; all else is in ${folder}`,
  );
  narrator.line();
  const figures = await new Scenario(programs, narrator, source, folder).play();
  narrator.line();
  for (const line of summaryLines(figures)) narrator.line(line);
  narrator.line();
  const duration = formatDuration(performance.now() - startedMs);
  narrator.line(
    narrator.styled('green', `All of it held, in ${duration}: both snapshots came back identical.`),
  );
}

function explain(error: unknown): string {
  if (error instanceof DemoFailure || error instanceof ProgramFailed) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function demonstrate(named: string | undefined): Promise<number> {
  const narrator = new Narrator(process.stdout, process.env);
  const interruption = new AbortController();
  let folder: string | null = null;
  for (const [signal, status] of Object.entries(INTERRUPTIONS)) {
    process.on(signal, () => {
      // Still looking for something to work with: there is nothing to clean up.
      if (folder === null) process.exit(status);
      interruption.abort(new Interrupted(status));
    });
  }
  // Whoever reads along has gone, as `head` does.
  process.stdout.on('error', () => interruption.abort(new Interrupted(INTERRUPTIONS.SIGHUP)));
  const programs = new ChildPrograms(interruption.signal);
  try {
    const source = await findSource(named);
    folder = mkdtempSync(join(realpathSync(tmpdir()), 'cofre-demo-'));
    await play(source, folder, narrator, programs);
    removeTree(folder);
    return 0;
  } catch (error) {
    await programs.stopAll();
    // Whatever broke then broke because of that.
    if (interruption.signal.aborted) {
      if (folder !== null) removeTree(folder);
      console.error('The demo was interrupted; nothing is left of it.');
      return interruption.signal.reason instanceof Interrupted ? interruption.signal.reason.status : 1;
    }
    console.error(`\n${narrator.styled('red', 'The demo failed.')} ${explain(error)}`);
    if (folder !== null) console.error(`\nLeft for inspection: ${folder}`);
    return 1;
  }
}

const [named, ...more] = process.argv.slice(2);
if (named === '--help' || named === '-h') console.log(USAGE);
else if (more.length > 0 || named?.startsWith('-') === true) {
  console.error(USAGE);
  process.exitCode = 2;
} else if (process.platform !== 'linux') {
  console.error('The demo runs on Linux only so far.');
  process.exitCode = 1;
} else process.exitCode = await demonstrate(named);
