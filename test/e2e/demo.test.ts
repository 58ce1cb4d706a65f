import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compareTrees } from '../builders/compare-trees.ts';
import { buildRandomTree } from '../builders/random-tree.ts';
import { removeTree } from '../builders/remove-tree.ts';

/** What a newcomer sees first: it must hold, and it must be able to fail. */

const PROGRAM = join(import.meta.dirname, '../../scripts/demo.ts');

interface EndedDemo {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface DemoControl {
  kill(signal: NodeJS.Signals): void;
  closeOutput(): void;
}

let folder: string;
let source: string;
/** Where the demo makes its folder. */
let temporary: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'cofre-demo-test-')));
  source = join(folder, 'source');
  temporary = join(folder, 'temporary');
  mkdirSync(temporary);
  buildRandomTree(source, { seed: 1, files: 120, bytes: 4_000_000 });
});

afterEach(() => removeTree(folder));

/** Runs the demo to its end. `onLine` may do something when a line is said; `place` is the folder of the demo. */
async function runDemo(
  words: readonly string[],
  onLine: (line: string, place: string, control: DemoControl) => void = () => {},
): Promise<EndedDemo> {
  const { INIT_CWD: _, ...environment } = process.env;
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    cwd: folder,
    env: { ...environment, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    onLine(line, join(temporary, String(readdirSync(temporary)[0])), {
      kill: (signal) => child.kill(signal),
      closeOutput: () => child.stdout.destroy(),
    });
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (data: string) => (stdout += data));
  const stderr = text(child.stderr);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr: await stderr };
}

function isEndOf(step: string, line: string): boolean {
  return line.startsWith('✓') && line.includes(step);
}

test('a folder goes in, is changed, lost, and comes back; nothing is left, and the folder is as it was', async () => {
  const untouched = join(folder, 'untouched');
  expect(spawnSync('cp', ['-a', source, untouched]).status).toBe(0);
  const { status, stdout, stderr } = await runDemo(['source']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(`Cofre demo with ${source}\n120 files`);
  expect(stdout).toMatch(/quota 3 × 50 MiB = 150\.0 MiB/);
  expect(stdout).toMatch(/First backup .* 124 new, 0 changed, 0 as before/);
  expect(stdout).toMatch(/Second backup .* 1 new, 1 changed, 122 as before/);
  expect(stdout).toMatch(/no trace of its text or name in \d+ files/);
  expect(stdout).toMatch(/Restore the first snapshot .* identical: \d+ entries/);
  expect(stdout).toMatch(/Restore the second snapshot .* identical: \d+ entries/);
  expect(stdout).toMatch(/All of it held, in .*: both snapshots came back identical\.\n$/);
  expect(stdout).not.toContain('\u001b');
  expect(readdirSync(temporary)).toEqual([]);
  expect([...compareTrees(untouched, source)]).toEqual([]);
});

test('a secret that reaches the server makes it fail, say where, and keep everything', async () => {
  const { status, stderr } = await runDemo(['source'], (line, place) => {
    if (!isEndOf('Second backup', line)) return;
    const name =
      readdirSync(join(place, 'reference/first')).find((one) => one.startsWith('secret-name-')) ?? '';
    const file = `${name.replace(/-folder$/, '')}.txt`;
    const secret = /the-secret-plan-\w+/.exec(
      readFileSync(join(place, 'reference/first', name, file), 'utf8'),
    );
    writeFileSync(join(place, 'server/data/leak'), Buffer.from(String(secret), 'utf16le'));
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/server\/data\/leak: the planted text as UTF-16LE at byte 0/);
  const kept = join(temporary, String(readdirSync(temporary)[0]));
  expect(stderr).toContain(`Left for inspection: ${kept}\n`);
  expect(existsSync(join(kept, 'server/data/leak'))).toBe(true);
});

test('one byte that comes back different makes it fail, and say which', async () => {
  let changed = '';
  const { status, stdout, stderr } = await runDemo(['source'], (line, place) => {
    if (!isEndOf('Second backup', line)) return;
    const reference = join(place, 'reference/second');
    changed = readdirSync(reference).find((name) => name.startsWith('file-')) ?? 'folder';
    writeFileSync(join(reference, changed), 'x', { flag: 'a' });
  });
  expect(changed).toMatch(/^file-/);
  expect(status).toBe(1);
  expect(stdout).toMatch(/✓ .* Restore the first snapshot/);
  expect(stdout).toMatch(/✗ .* Restore the second snapshot/);
  expect(stderr).toContain(`${changed}: size: expected`);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends it and its server, and leaves nothing', async (signal, expected) => {
  let server = '';
  const { status, stderr } = await runDemo(['source'], (line, place, control) => {
    if (isEndOf('Start a server', line))
      server = readFileSync(join(place, 'server/data/server.lock.holder'), 'utf8');
    if (isEndOf('Enrol a computer', line)) control.kill(signal);
  });
  expect({ status, stderr }).toEqual({
    status: expected,
    stderr: 'The demo was interrupted; nothing is left of it.\n',
  });
  expect(readdirSync(temporary)).toEqual([]);
  const pid = Number(/\d+/.exec(server)?.[0]);
  expect(pid).toBeGreaterThan(0);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});

test('it ends and leaves nothing when nobody reads along any more, as with `head`', async () => {
  const { status } = await runDemo(['source'], (line, _, control) => {
    if (isEndOf('Start a server', line)) control.closeOutput();
  });
  expect(status).toBe(129);
  expect(readdirSync(temporary)).toEqual([]);
});

test('a folder that is not there is said by name; wrong words get the usage', async () => {
  const gone = await runDemo(['gone']);
  expect(gone.status).toBe(1);
  expect(gone.stderr).toContain(`${join(folder, 'gone')} cannot be used (ENOENT).`);
  expect(gone.stderr).not.toContain('Left for inspection');
  expect(readdirSync(temporary)).toEqual([]);
  expect((await runDemo(['source', 'another'])).status).toBe(2);
  expect((await runDemo(['--unknown'])).stderr).toContain('Usage: npm run demo [-- FOLDER]');
  expect(await runDemo(['--help'])).toMatchObject({ status: 0, stderr: '' });
});
