import { expect, test } from 'vitest';
import { LIMITS } from '@cofre/shared/limits';
import { PasswordHashes, requireSuitablePassword } from './password-hashes.ts';

const CHEAP = { memoryKib: 8, passes: 1, lanes: 1 };

test('a password is verified by its hash, which holds a salt of its own and what it cost', async () => {
  const hashes = new PasswordHashes(CHEAP);
  const [first, second] = [await hashes.make('correct horse'), await hashes.make('correct horse')];
  expect(first).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$/);
  expect(second).not.toBe(first);
  expect(await hashes.verify('correct horse', first)).toBe(true);
  expect(await hashes.verify('correct hors', first)).toBe(false);
});

test('a hash of another cost is verified still, so that the cost can be raised', async () => {
  const earlier = await new PasswordHashes(CHEAP).make('correct horse');
  const raised = new PasswordHashes({ ...CHEAP, passes: 3 });
  expect(await raised.verify('correct horse', earlier)).toBe(true);
});

test('the usual cost is what the limits say', async () => {
  const hash = await new PasswordHashes().make('correct horse');
  expect(hash).toContain(
    `m=${LIMITS.passwordMemoryKib},t=${LIMITS.passwordPasses},p=${LIMITS.passwordLanes}$`,
  );
});

test('nobody has no password, not even the one that nobody is compared with', async () => {
  expect(await new PasswordHashes(CHEAP).verify('anything', null)).toBe(false);
});

test('letters that are written in more than one way are one password', async () => {
  const hashes = new PasswordHashes(CHEAP);
  expect(await hashes.verify('contrase\u006e\u0303a', await hashes.make('contrase\u00f1a'))).toBe(true);
});

test('too many at once are refused, and those before them are served', async () => {
  const hashes = new PasswordHashes(CHEAP);
  const places = LIMITS.passwordHashesMax + LIMITS.passwordHashesWaitingMax;
  const asked = Array.from({ length: places + 1 }, () => hashes.make('correct horse'));
  const ended = await Promise.allSettled(asked);
  expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(places);
  await expect(asked[places]).rejects.toMatchObject({ code: 'unavailable' });
  expect(await hashes.make('correct horse')).toMatch(/^\$argon2id/);
});

test.each([
  ['short', 'eleven char'],
  ['few different characters', 'aaaabbbbaaaabbbb'],
  ['the name of the account', 'anaanaanaana1'],
])('a password is refused that is %s', (_, password) => {
  expect(() => requireSuitablePassword(password, 'ana@acme.example')).toThrow(/will not do/);
});

test('four words are a password', () => {
  expect(() => requireSuitablePassword('violet harbour ninety lamps', 'ana@acme.example')).not.toThrow();
});
