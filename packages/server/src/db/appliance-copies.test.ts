import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newRandomId, type TenantId } from '@cofre/shared/ids';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ApplianceCopies, copiesFolder } from './appliance-copies.ts';
import { openApplianceStores, type ApplianceStores } from './appliance-stores.ts';

const DAY_MS = 24 * 3_600_000;

let folder: string;
let stores: ApplianceStores;
let nowMs: number;
const fatal: unknown[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-copies-'));
  nowMs = Date.parse('2026-03-04T05:06:07.890Z');
  fatal.length = 0;
  stores = await openApplianceStores(folder, (error) => fatal.push(error));
});

afterEach(async () => {
  await stores.close();
  rmSync(folder, { recursive: true });
  expect(fatal).toEqual([]);
});

const first = (): string => copiesFolder(folder);
const copiesTo = (second: string | null): ApplianceCopies =>
  new ApplianceCopies(stores.copies, { first: first(), second }, () => nowMs);

async function addTenant(name: string): Promise<void> {
  const id = newRandomId<TenantId>();
  await stores.tenants.insert({ id, name, modules: 1, createdMs: nowMs, suspendedMs: null });
}

test('a copy is a database of its own, as it was when it was made, for nobody else to read', async () => {
  await addTenant('One');
  const copies = copiesTo(null);
  const copy = await copies.copyNow();
  await addTenant('Two');
  expect(copy).toMatchObject({
    name: 'appliance-20260304T050607Z.sqlite',
    taken: '2026-03-04T05:06:07.000Z',
    content: { tenants: 1, devices: 0 },
    secondFolder: null,
  });
  expect(readdirSync(first())).toEqual([copy.name]);
  expect(statSync(join(first(), copy.name)).mode & 0o777).toBe(0o600);
  nowMs += 1000;
  expect(await copies.copyNow()).toMatchObject({ content: { tenants: 2 } });
});

test('a day has one copy, whoever looks how often', async () => {
  const copies = copiesTo(null);
  expect(await copies.copyIfDue()).not.toBeNull();
  nowMs += 3_600_000;
  expect(await copies.copyIfDue()).toBeNull();
  nowMs += DAY_MS;
  expect(await copies.copyIfDue()).not.toBeNull();
});

test('the newest of the last days and weeks stay, the others go, in both places', async () => {
  const second = join(folder, 'elsewhere', 'copies');
  const copies = copiesTo(second);
  for (let day = 0; day < 40; day++) {
    await copies.copyNow();
    nowMs += DAY_MS;
  }
  const days = (await copies.list()).map(({ taken }) => taken.slice(0, 10));
  // The last copy is of Sunday 12 April; the newest of a week is its Sunday's.
  expect(days).toEqual([
    '2026-04-12',
    '2026-04-11',
    '2026-04-10',
    '2026-04-09',
    '2026-04-08',
    '2026-04-07',
    '2026-04-06',
    '2026-04-05',
    '2026-03-29',
    '2026-03-22',
  ]);
  expect(readdirSync(second).length).toBe(10);
  expect((await copies.list())[0]?.secondFolder).toBe(second);
});

test('nothing goes only because time has passed, nor what is no copy', async () => {
  const copies = copiesTo(null);
  await copies.copyNow();
  writeFileSync(join(first(), 'notes.txt'), 'mine');
  nowMs += 400 * DAY_MS;
  await copies.copyNow();
  expect(readdirSync(first()).length).toBe(3);
});

test('a copy that was damaged since is named, and does not stop the server', async () => {
  const copies = copiesTo(null);
  for (let count = 0; count < 200; count++) await addTenant(`tenant ${count}`);
  const { name } = await copies.copyNow();
  const file = join(first(), name);
  const whole = readFileSync(file);
  for (const bytes of [whole.subarray(0, 5000), Buffer.from('no database'), Buffer.alloc(0), spoilt(whole)]) {
    writeFileSync(file, bytes);
    expect(await copies.list()).toMatchObject([{ name, content: null }]);
  }
  expect(await stores.tenants.list()).toHaveLength(200);
});

function spoilt(whole: Buffer): Buffer {
  const bytes = Buffer.from(whole);
  bytes.fill(0xff, 8192, 12_288);
  return bytes;
}

test('a second place that does not take the copy is said, and the one in the store stays', async () => {
  const second = join(folder, 'no-folder');
  writeFileSync(second, 'a file');
  const copies = copiesTo(second);
  await expect(copies.copyNow()).rejects.toMatchObject({
    code: 'settings_invalid',
    parameters: { setting: '--copy-to' },
  });
  expect(await copies.list()).toMatchObject([{ content: { tenants: 0 }, secondFolder: null }]);
});

test('what a process that ended left half written is no copy, and does not stand in the way', async () => {
  const copies = copiesTo(null);
  const { name } = await copies.copyNow();
  const file = join(first(), name);
  truncateSync(file, 100);
  writeFileSync(`${file}.new`, readFileSync(file));
  rmSync(file);
  expect(await copies.list()).toEqual([]);
  expect(await copies.copyNow()).toMatchObject({ name, content: { tenants: 0 } });
  expect(readdirSync(first())).toEqual([name]);
});
