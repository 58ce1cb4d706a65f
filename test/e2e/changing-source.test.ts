import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AgentComputer, AgentRun } from '../builders/agent-process.ts';
import { backUp, backupLine, expectEnd, expectSameTrees, restoredAt } from '../builders/agent-run.ts';
import type { Account } from '../builders/installation.ts';
import { NetworkProxy } from '../builders/network-proxy.ts';
import { SeededRandom } from '../builders/seeded-random.ts';
import { useInstallation } from '../builders/use-installation.ts';

/** Files that change while they are read: told by name, marked, and whole again with the next run. */

const MIB = 1024 ** 2;
/** Larger than what one worker reads of a file: two read at once. */
const LARGE_BYTES = 136 * MIB;

const installation = useInstallation();
let account: Account;
let line: NetworkProxy;
let computer: AgentComputer;
let source: string;
let restores = 0;

beforeEach(async () => {
  account = await installation().account();
  line = await NetworkProxy.open(installation().server.origin);
  computer = await account.computer('one', { origin: line.origin });
  source = account.at('source');
  mkdirSync(source);
});

afterEach(() => line.close());

interface Restored {
  readonly at: string;
  /** Paths that were marked, with what. */
  readonly notes: ReadonlyMap<unknown, unknown>;
}

async function restoreLatest(): Promise<Restored> {
  const target = account.at(`restored-${++restores}`);
  const run = await computer.run('restore', 'latest', '--target', target, '--kit', account.kit, '--json');
  expectEnd(run, 0);
  const notes = run.json().filter((said) => said['message_type'] === 'note');
  return {
    at: restoredAt(target, source),
    notes: new Map(notes.map((note) => [note['path'], note['kind']])),
  };
}

/** Paths that a run could not back up whole, with why. */
function problemsOf(run: AgentRun): Map<unknown, unknown> {
  const errors = run.json().filter((said) => said['message_type'] === 'error');
  return new Map(errors.map((error) => [error['path'], error['reason']]));
}

/** The next run over a source that rests heals everything. */
async function expectNextRunHeals(): Promise<void> {
  expect(await backUp(computer, source)).toMatchObject({ files_failed: 0 });
  const { at, notes } = await restoreLatest();
  expect(notes).toEqual(new Map());
  expectSameTrees(source, at);
}

describe('a large file, of which a part was read,', () => {
  let file: string;
  let original: Buffer;
  const other = new SeededRandom('other').bytes(2 * MIB);

  /** Holds the run when some of the file was sent, and lets `change` happen. */
  async function backUpWith(change: () => void): Promise<AgentRun> {
    const begun = line.afterBytes(8 * MIB);
    return await computer.runWith(['backup', source, '--json'], (agent) => {
      void begun.then(() => {
        agent.kill('SIGSTOP');
        change();
        agent.kill('SIGCONT');
      });
    });
  }

  beforeEach(() => {
    file = join(source, 'b-large');
    original = new SeededRandom('large').bytes(LARGE_BYTES);
    writeFileSync(file, original);
    writeFileSync(join(source, 'a-before'), 'before it');
    writeFileSync(join(source, 'c-after'), 'after it');
  });

  function expectOthersWhole({ at }: Restored): void {
    expect(readFileSync(join(at, 'a-before'), 'utf8')).toBe('before it');
    expect(readFileSync(join(at, 'c-after'), 'utf8')).toBe('after it');
  }

  test('grows: what it was is stored', async () => {
    const run = await backUpWith(() => appendFileSync(file, other));
    expectEnd(run, 3);
    expect(problemsOf(run)).toEqual(new Map([[file, 'changed']]));
    expect(backupLine(run)).toMatchObject({ files_new: 3, files_failed: 1 });
    const restored = await restoreLatest();
    expect(restored.notes).toEqual(new Map([[file, 'changed-while-read']]));
    expect(readFileSync(join(restored.at, 'b-large')).equals(original)).toBe(true);
    expectOthersWhole(restored);
    await expectNextRunHeals();
  });

  test('shrinks: what was read of it is stored', async () => {
    const run = await backUpWith(() => {
      const descriptor = openSync(file, 'r+');
      ftruncateSync(descriptor, MIB);
      closeSync(descriptor);
    });
    expectEnd(run, 3);
    expect(problemsOf(run)).toEqual(new Map([[file, 'changed']]));
    const restored = await restoreLatest();
    expect(restored.notes).toEqual(new Map([[file, 'changed-while-read']]));
    const kept = readFileSync(join(restored.at, 'b-large'));
    expect(kept.length).toBeGreaterThanOrEqual(MIB);
    expectBlocksOf(kept, [original, Buffer.alloc(0)]);
    expectOthersWhole(restored);
    await expectNextRunHeals();
  });

  test('is written in the middle and at the end: each part is as it was read', async () => {
    const changed = Buffer.from(original);
    other.copy(changed, 120 * MIB);
    other.copy(changed, LARGE_BYTES - 2 * MIB);
    const run = await backUpWith(() => {
      const descriptor = openSync(file, 'r+');
      for (const at of [120 * MIB, LARGE_BYTES - 2 * MIB]) writeSync(descriptor, other, 0, other.length, at);
      closeSync(descriptor);
    });
    expectEnd(run, 3);
    expect(problemsOf(run)).toEqual(new Map([[file, 'changed']]));
    const restored = await restoreLatest();
    expect(restored.notes).toEqual(new Map([[file, 'changed-while-read']]));
    const kept = readFileSync(join(restored.at, 'b-large'));
    expect(kept.length).toBe(LARGE_BYTES);
    expectBlocksOf(kept, [original, changed]);
    expectOthersWhole(restored);
    await expectNextRunHeals();
  });

  test('is deleted', async () => {
    const run = await backUpWith(() => rmSync(file));
    expectEnd(run, 3);
    expect([...problemsOf(run).keys()]).toEqual([file]);
    expectOthersWhole(await restoreLatest());
    await expectNextRunHeals();
  });

  test('is replaced by another one', async () => {
    const replacement = new SeededRandom('replacement').bytes(MIB);
    const run = await backUpWith(() => {
      writeFileSync(join(account.folder, 'new'), replacement);
      renameSync(join(account.folder, 'new'), file);
    });
    expectEnd(run, 3);
    expect([...problemsOf(run).keys()]).toEqual([file]);
    expectOthersWhole(await restoreLatest());
    await expectNextRunHeals();
  });
});

/** Every block of 4 KiB stands so in one of `versions`, or is empty where one of them ends. */
function expectBlocksOf(kept: Buffer, versions: readonly Buffer[]): void {
  const block = 4096;
  const empty = Buffer.alloc(block);
  let strange = 0;
  for (let at = 0; at < kept.length; at += block) {
    const part = kept.subarray(at, at + block);
    const isKnown = versions.some((version) => {
      const expected = at < version.length ? version.subarray(at, at + part.length) : empty;
      return part.equals(expected.subarray(0, part.length));
    });
    if (!isKnown) strange += 1;
  }
  expect(strange).toBe(0);
}

describe('many small files, while programs write all the time,', () => {
  const FILES = 3000;
  const isQuiet = (name: string): boolean => name.startsWith('quiet');

  /** The content of one version of a file: anything else is no moment of it. */
  function version(name: string, number: number): string {
    return `${name} in its version ${number}\n`.repeat(1 + (number % 50));
  }

  function isWholeVersion(name: string, content: string): boolean {
    const number = Number(/ version (\d+)\n/.exec(content)?.[1]);
    return content === version(name, number);
  }

  beforeEach(() => {
    for (let number = 0; number < FILES; number++) {
      for (const kind of ['quiet', 'saved', 'written', 'fleeting'])
        if (number % 3 === 0 || kind === 'quiet')
          writeFileSync(join(source, `${kind}-${number}`), version(`${kind}-${number}`, 0));
    }
  });

  /** Writes until the run has ended. */
  async function backUpWhileWriting(): Promise<AgentRun> {
    const names = readdirSync(source).filter((name) => !isQuiet(name));
    const random = new SeededRandom('storm');
    let isDone = false;
    const run = computer.run('backup', source, '--json').finally(() => (isDone = true));
    for (let number = 1; !isDone; number++) {
      changeFile(random.pick(names), number);
      if (number % 20 === 0) await nextTurn();
    }
    return await run;
  }

  function changeFile(name: string, number: number): void {
    const file = join(source, name);
    if (name.startsWith('saved')) {
      writeFileSync(`${file}.new`, version(name, number));
      renameSync(`${file}.new`, file);
    } else if (name.startsWith('written')) writeFileSync(file, version(name, number));
    else if (number % 2 === 0) rmSync(file, { force: true });
    else writeFileSync(file, version(name, number));
  }

  test('are stored as they were at some moment, or told; and the next run is right', async () => {
    const run = await backUpWhileWriting();
    expect([0, 3]).toContain(run.status);
    const problems = problemsOf(run);
    const restored = await restoreLatest();
    const names = readdirSync(restored.at);
    expect(names.filter(isQuiet)).toHaveLength(FILES);
    const torn = names.filter((name) => {
      if (problems.has(join(source, name)) || name.endsWith('.new')) return false;
      const content = readFileSync(join(restored.at, name), 'utf8');
      // Whoever writes in place empties the file first: that, too, is a moment of it.
      return !isWholeVersion(name, content) && !(content === '' && !isQuiet(name));
    });
    expect(torn).toEqual([]);
    expect([...problems.keys()].filter((path) => isQuiet(String(path).slice(source.length + 1)))).toEqual([]);
    await expectNextRunHeals();
  });
});
