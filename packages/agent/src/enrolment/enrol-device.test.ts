import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseKit } from '@cofre/shared/crypto/kit';
import { recoveryKeyFromSecret } from '@cofre/shared/crypto/recovery-key';
import { CofreError } from '@cofre/shared/errors';
import { encodeRoster } from '@cofre/shared/format/envelope/roster';
import { encodeSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { formatEnrolmentLine } from '@cofre/shared/wire/enrolment-line';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MemoryAccount, type EnrolmentCalls } from '../../../../test/fakes/memory-account.ts';
import type { ServerClient } from '../client/server-client.ts';
import { readIdentity } from '../state/identity-file.ts';
import { lockState } from '../state/run-lock.ts';
import { enrolDevice, type EnrolmentOrder, type EnrolmentResult } from './enrol-device.ts';

let folder: string;
let account: MemoryAccount;
let kitFile: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-enrol-'));
  account = new MemoryAccount();
  kitFile = join(folder, 'kit.txt');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A new line of the account; `name` stands for the code. */
function lineFor(name: string): string {
  const code = name.padEnd(24, 'x');
  if (!account.codes.has(code)) account.codes.set(code, null);
  return formatEnrolmentLine({ address: 'http://127.0.0.1:9', code, certificatePin: null });
}

async function enrol(name: string, changes: Partial<EnrolmentOrder> = {}): Promise<EnrolmentResult> {
  return enrolDevice({
    line: lineFor(name),
    stateFolder: join(folder, name),
    kitFile,
    deviceName: name,
    language: 'en',
    connect: () => clientOf(account),
    ...changes,
  });
}

function clientOf(calls: EnrolmentCalls): ServerClient {
  return calls as unknown as ServerClient;
}

test('the first computer makes the kit, the authority, the roster and its domain', async () => {
  const { identity, madeKit, fingerprint } = await enrol('first');
  expect(madeKit).toBe(true);
  expect(statSync(kitFile).mode & 0o777).toBe(0o600);
  const kit = readFileSync(kitFile, 'utf8');
  expect(kit).toContain(fingerprint);
  const key = await recoveryKeyFromSecret(parseKit(kit, kitFile));
  expect(account.current.authorityKey).toBe(key.authority.publicKey.toString('hex'));
  const roster = account.roster();
  expect(roster?.recipients).toEqual([key.age.recipient]);
  expect(roster?.devices).toMatchObject([
    { deviceId: identity.deviceId, domainId: identity.secrets.domain.domainId, isRevoked: false },
  ]);
  expect([...account.domains.keys()]).toEqual([identity.secrets.domain.domainId]);
  expect(await readIdentity(join(folder, 'first'))).toEqual(identity);
});

test('the recovery key stays on the kit: the state folder has no part of it', async () => {
  await enrol('first');
  const secret = parseKit(readFileSync(kitFile, 'utf8'), kitFile);
  const kept = readdirSync(join(folder, 'first')).map((file) =>
    readFileSync(join(folder, 'first', file), 'utf8'),
  );
  expect(kept.length).toBeGreaterThan(0);
  for (const text of kept) expect(text).not.toContain(secret.toString('hex'));
});

test('a later computer joins with the same kit, on the next version of the roster', async () => {
  const first = await enrol('first');
  const second = await enrol('second');
  expect(second.madeKit).toBe(false);
  expect(account.roster()).toMatchObject({
    version: 2,
    devices: [{ deviceId: first.identity.deviceId }, { deviceId: second.identity.deviceId }],
  });
  expect(account.domains.size).toBe(2);
});

test('a later computer needs the kit: without one, and with that of another account, it is refused', async () => {
  await enrol('first');
  const absent = join(folder, 'absent.txt');
  await expect(enrol('second', { kitFile: absent })).rejects.toMatchObject({
    code: 'kit_needed',
    exitCode: 12,
  });
  expect(existsSync(absent)).toBe(false);
  const mine = account;
  account = new MemoryAccount();
  const otherKit = join(folder, 'other.txt');
  await enrol('stranger', { kitFile: otherKit });
  account = mine;
  await expect(enrol('second', { kitFile: otherKit })).rejects.toMatchObject({
    code: 'wrong_key',
    exitCode: 12,
  });
  expect(account.roster()?.version).toBe(1);
  expect((await enrol('second')).identity.deviceName).toBe('second');
});

test('a file that is no kit is refused before the line is used', async () => {
  writeFileSync(kitFile, 'shopping list');
  await expect(enrol('first')).rejects.toMatchObject({ code: 'kit_unreadable' });
  expect(account.requests).toEqual([]);
  expect(readFileSync(kitFile, 'utf8')).toBe('shopping list');
});

test('a folder that is not there is told before the line is used', async () => {
  const missing = join(folder, 'missing', 'kit.txt');
  await expect(enrol('first', { kitFile: missing })).rejects.toMatchObject({ code: 'file_unwritable' });
  expect(account.requests).toEqual([]);
});

test('the kit of another account is never overwritten', async () => {
  await enrol('first');
  const kit = readFileSync(kitFile, 'utf8');
  account = new MemoryAccount();
  await expect(enrol('other')).rejects.toMatchObject({ code: 'file_exists' });
  expect(readFileSync(kitFile, 'utf8')).toBe(kit);
});

test('a roster that the recovery key did not sign is not joined', async () => {
  await enrol('first');
  const roster = account.roster();
  const stranger = await recoveryKeyFromSecret(Buffer.alloc(32, 7));
  if (roster === null) throw new Error('there is no roster');
  const forged = encodeSignedObject('roster', encodeRoster(roster), stranger.authority).toString('base64');
  account.current = { ...account.current, roster: forged };
  await expect(enrol('second')).rejects.toMatchObject({ code: 'untrusted' });
});

test('a computer enrols once, and not while another process is at it', async () => {
  await enrol('first');
  await expect(enrol('first')).rejects.toMatchObject({ code: 'already_enrolled' });
  const stateFolder = join(folder, 'first');
  using _lock = lockState(stateFolder);
  await expect(enrol('first')).rejects.toMatchObject({ code: 'busy', exitCode: 11 });
});

test('of two computers that are both the first, one is told to take the kit of the other', async () => {
  const late = clientOf({
    ...callsOf(account),
    enrol: async (request) => {
      const answer = await account.enrol(request);
      await enrol('quick');
      return answer;
    },
  });
  const ownKit = join(folder, 'own.txt');
  const changes = { kitFile: ownKit, connect: () => late };
  await expect(enrol('late', changes)).rejects.toMatchObject({ code: 'kit_needed' });
  expect(existsSync(ownKit)).toBe(false);
  expect((await enrol('late')).madeKit).toBe(false);
});

function callsOf(target: MemoryAccount): EnrolmentCalls {
  return {
    enrol: async (request) => target.enrol(request),
    trust: async () => target.trust(),
    putTrust: async (request) => target.putTrust(request),
    storeObject: async (kind, object) => target.storeObject(kind, object),
    readObject: async (kind, id) => target.readObject(kind, id),
    close: async () => {},
  };
}

type Call = (...values: unknown[]) => Promise<unknown>;

/** Breaks the connection at the `at`-th call (from 1): before it reaches the server, or on the way back. */
function breaking(at: number, reaches: boolean): { client: ServerClient; calls: () => number } {
  let count = 0;
  const wrapped = Object.fromEntries(
    Object.entries<Call>(callsOf(account) as unknown as Record<string, Call>).map(([name, call]) => [
      name,
      async (...values: unknown[]) => {
        if (name !== 'close') count += 1;
        if (name === 'close' || count !== at) return call(...values);
        if (reaches) await call(...values).catch(() => undefined);
        throw new CofreError('server_unreachable', { address: 'test', problem: 'cut' });
      },
    ]),
  );
  return { client: wrapped as unknown as ServerClient, calls: () => count };
}

test.each([true, false])(
  'an enrolment cut at any call is finished by the same line (reached: %s)',
  async (reaches) => {
    let cuts = 0;
    for (let at = 1; ; at += 1) {
      account = new MemoryAccount();
      const name = `cut${at}${String(reaches)}`;
      kitFile = join(folder, `${name}.txt`);
      const { client, calls } = breaking(at, reaches);
      const attempt = enrol(name, { connect: () => client });
      if (
        await attempt.then(
          () => calls() < at,
          () => false,
        )
      )
        break;
      await expect(attempt).rejects.toMatchObject({ code: 'server_unreachable' });
      cuts += 1;
      const { identity } = await enrol(name);
      expect(account.roster()?.devices.map(({ deviceId }) => deviceId)).toEqual([identity.deviceId]);
      expect(new Set(account.requests.map(({ signingKey }) => signingKey)).size).toBeLessThanOrEqual(1);
      const key = await recoveryKeyFromSecret(parseKit(readFileSync(kitFile, 'utf8'), kitFile));
      expect(identity.authorityKey).toBe(key.authority.publicKey.toString('hex'));
    }
    expect(cuts).toBeGreaterThanOrEqual(6);
  },
);
