import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newRandomId, type UserId } from '@cofre/shared/ids';
import { DATABASE_FILE, openApplianceStores, type ApplianceStores } from './appliance-stores.ts';
import { AUDIT_BEGINNING, faultOf } from './audit-chain.ts';
import type { NewAuditEntry, NewUser } from './people-records.ts';

let folder: string;
let stores: ApplianceStores;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-people-'));
  stores = await openApplianceStores(folder, (error) => {
    throw error;
  });
});

afterEach(async () => {
  await stores.close();
  rmSync(folder, { recursive: true });
});

function entry(action: NewAuditEntry['action'], target: string): NewAuditEntry {
  const actor = { kind: 'host', id: null, name: null, role: null } as const;
  const details = { b: 2, a: 'one' };
  return { timeMs: 5, tenantId: null, actor, action, target, details, address: null, requestId: null };
}

function person(login: string): NewUser {
  return {
    id: newRandomId<UserId>(),
    tenantId: null,
    role: 'provider_admin',
    login,
    name: login,
    createdMs: 10,
  };
}

const link = (hash: string) => ({ hash, removesFactors: false, expiresMs: 100 });

test('what is done and its entry are one transaction: a refusal leaves neither', async () => {
  const audited = stores.people.audited(entry('user.invited', 'ana'));
  await audited.insertInvitedUser(person('ana'), link('1'));
  await expect(audited.insertInvitedUser(person('ana'), link('2'))).rejects.toMatchObject({
    code: 'already_exists',
  });
  expect(await stores.people.audited(entry('user.activated', 'x')).acceptLink('unknown', 'h', 1)).toBeNull();
  expect(await stores.people.auditPage('all', 0, 10)).toMatchObject([{ number: 1, target: 'ana' }]);
  expect((await stores.people.auditHead()).number).toBe(1);
});

test('entries are chained, and each change of one is found', async () => {
  await stores.people.appendAudit([entry('user.invited', 'a'), entry('user.changed', 'b')]);
  const [first, second] = await stores.people.auditPage('all', 0, 10);
  if (first === undefined || second === undefined) throw new Error('the entries are not there');
  const beginning = { number: 0, hash: AUDIT_BEGINNING };
  expect(faultOf(first, beginning)).toBeNull();
  expect(faultOf(second, first)).toBeNull();
  expect(faultOf(second, beginning)).toMatch(/missing/);
  const changes: Partial<typeof first>[] = [
    { timeMs: 6 },
    { target: 'c' },
    { action: 'user.changed' },
    { details: { a: 'one', b: 3 } },
    { address: '::1' },
    { requestId: 'r' },
    { actor: { ...first.actor, name: 'x' } },
    { tenantId: newRandomId() },
  ];
  for (const change of changes) expect(faultOf({ ...first, ...change }, beginning)).toMatch(/changed/);
});

test('the database itself refuses to change or delete an entry', async () => {
  await stores.people.appendAudit([entry('user.invited', 'a')]);
  const database = new Database(join(folder, DATABASE_FILE));
  expect(() => database.exec("UPDATE audit_entries SET target = 'b'")).toThrow(/append-only/);
  expect(() => database.exec('DELETE FROM audit_entries')).toThrow(/append-only/);
  database.close();
});

test('the last administrator stays one, until there is another', async () => {
  const [ana, ben] = [person('ana'), person('ben')];
  await stores.people.insertInvitedUser(ana, link('1'));
  await stores.people.insertInvitedUser(ben, link('2'));
  expect((await stores.people.acceptLink('1', 'hash', 50))?.id).toBe(ana.id);
  const disable = { name: 'x', role: 'provider_admin', isDisabled: true, devices: [] } as const;
  const demote = { ...disable, role: 'auditor', isDisabled: false } as const;
  // Ben has not come in yet: he does not count.
  for (const change of [disable, demote]) {
    await expect(stores.people.changeUser(ana.id, change, 60)).rejects.toMatchObject({ code: 'last_admin' });
  }
  await stores.people.acceptLink('2', 'hash', 50);
  expect((await stores.people.changeUser(ana.id, disable, 60)).disabledMs).toBe(60);
});

test('a link works once, and not when its time is over', async () => {
  await stores.people.insertInvitedUser(person('ana'), link('1'));
  expect(await stores.people.acceptLink('1', 'hash', 100)).toBeNull();
  expect(await stores.people.acceptLink('1', 'hash', 99)).not.toBeNull();
  expect(await stores.people.acceptLink('1', 'other', 99)).toBeNull();
});

test('the first-run token makes one provider admin, and no second', async () => {
  await stores.people.setFirstRunToken('t', 100);
  const ana = { ...person('ana'), passwordHash: 'h' };
  expect(await stores.people.completeFirstRun('other', ana)).toBe(false);
  expect(await stores.people.completeFirstRun('t', { ...ana, createdMs: 100 })).toBe(false);
  expect(await stores.people.completeFirstRun('t', ana)).toBe(true);
  expect(await stores.people.hasProviderAdmin()).toBe(true);
  await stores.people.setFirstRunToken('u', 100);
  expect(await stores.people.completeFirstRun('u', { ...person('ben'), passwordHash: 'h' })).toBe(false);
});
