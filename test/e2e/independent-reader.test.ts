import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectEnd } from '../builders/agent-run.ts';
import { Installation } from '../builders/installation.ts';
import { readIndependently } from '../builders/read-independently.ts';
import { SeededRandom } from '../builders/seeded-random.ts';

let installation: Installation;

beforeAll(async () => {
  installation = await Installation.start();
});
afterAll(() => installation.remove());

/** Small files for bundles, a large one for several chunks, one of each thing that is special about content. */
function makeSource(folder: string): void {
  const random = new SeededRandom('what an independent reader reads');
  mkdirSync(join(folder, 'small'), { recursive: true });
  for (let number = 0; number < 400; number++) {
    const content = random.chance(0.5) ? random.text(number * 20) : random.bytes(number * 20);
    writeFileSync(join(folder, 'small', `file ${number}`), content);
  }
  writeFileSync(join(folder, 'large'), random.bytes(9_000_000));
  writeFileSync(join(folder, 'sparse'), 'data');
  truncateSync(join(folder, 'sparse'), 3_000_000);
  appendFileSync(join(folder, 'sparse'), 'more data');
  linkSync(join(folder, 'large'), join(folder, 'the same'));
  symlinkSync('nowhere', join(folder, 'link'));
}

test('a store gives all files back to a program that knows its description and the kit, and nothing of ours', async () => {
  const account = await installation.account();
  const source = account.at('source');
  makeSource(source);
  const computer = await account.computer('one');
  expectEnd(await computer.run('backup', source, '--json'), 0);
  writeFileSync(join(source, 'small', 'file 7'), 'changed');
  const backup = await computer.run('backup', source, '--json');
  expectEnd(backup, 0);

  const vault = join(installation.store, account.tenantId);
  const [info, ...entries] = await readIndependently(account.folder, account.kit, vault);
  expect(info?.snapshot).toBe(backup.jsonOf('summary')['snapshot_id']);
  const contents = new Map(entries.map(({ path, content }) => [path, content]));
  const files = entries.filter(({ type }) => type === 'file');
  expect(files).toHaveLength(403);
  for (const { path = '', content, hardLinkTo } of files) {
    const original = readFileSync(`/${Buffer.from(path, 'hex').toString('utf8')}`).toString('hex');
    expect([path, (content ?? contents.get(hardLinkTo)) === original]).toEqual([path, true]);
  }
});
