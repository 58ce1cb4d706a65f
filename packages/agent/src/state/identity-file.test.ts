import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newRandomId } from '@cofre/shared/ids';
import { isSignedBy } from '@cofre/shared/signature';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newDeviceSecrets } from './device-secrets.ts';
import {
  deviceIdentity,
  identityFile,
  readIdentity,
  requireIdentity,
  writeIdentity,
  type StoredIdentity,
} from './identity-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-identity-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function someIdentity(): StoredIdentity {
  return {
    address: 'https://backup.example:8443',
    certificatePin: 'ab'.repeat(32),
    tenantId: newRandomId(),
    tenantName: 'Zapatería Ñandú',
    deviceId: newRandomId(),
    deviceName: 'caja 1',
    authorityKey: 'cd'.repeat(32),
    secrets: newDeviceSecrets(),
    kitFile: '/media/kit.txt',
    enrolled: '2026-01-01T00:00:00.000Z',
  };
}

test('what was written is read again, by its owner only', async () => {
  const identity = someIdentity();
  await writeIdentity(folder, identity);
  expect(await readIdentity(folder)).toEqual(identity);
  expect(statSync(identityFile(folder)).mode & 0o777).toBe(0o600);
});

test('a computer without an identity is not enrolled', async () => {
  expect(await readIdentity(folder)).toBeNull();
  expect(await readIdentity(join(folder, 'missing'))).toBeNull();
  await expect(requireIdentity(folder)).rejects.toMatchObject({ code: 'not_enrolled', exitCode: 10 });
});

test.each<[string, (text: string) => string]>([
  ['cut short', (text) => text.slice(0, -10)],
  ['empty', () => ''],
  ['of another shape', () => '[]'],
  ['without a field', (text) => text.replace('"deviceId"', '"device"')],
  ['with a bad secret', (text) => text.replace(/"signingSeed": "../, '"signingSeed": "zz')],
  ['with a bad domain', (text) => text.replace(/"domain": "......../, '"domain": "ffffffff')],
])('a file that is %s is said to be damaged', async (_, change) => {
  await writeIdentity(folder, someIdentity());
  const file = identityFile(folder);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
  await expect(readIdentity(folder)).rejects.toMatchObject({ code: 'state_damaged', parameters: { file } });
});

test('a file of a later version is left alone', async () => {
  await writeIdentity(folder, someIdentity());
  const file = identityFile(folder);
  writeFileSync(file, readFileSync(file, 'utf8').replace('"version": 1', '"version": 2'));
  await expect(readIdentity(folder)).rejects.toMatchObject({ code: 'unknown_format' });
});

test('the identity signs with the key of its seed', async () => {
  const { signingKey } = deviceIdentity(someIdentity());
  const message = Buffer.from('message');
  expect(isSignedBy(signingKey.publicKey, message, signingKey.sign(message))).toBe(true);
});
