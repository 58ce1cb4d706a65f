import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { newRandomId, type DeviceId, type SnapshotId, type TenantId, type UserId } from '@cofre/shared/ids';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import type { VerifyFinding } from '@cofre/shared/wire/administration';
import type { DamageItem } from '@cofre/shared/wire/damage';
import type { InvitedPerson } from '@cofre/shared/wire/people';
import type { Administration } from '../administration/administration.ts';
import { retentionInMemory } from '../../../../test/fakes/memory-retention.ts';
import { tenantsInMemory } from '../../../../test/fakes/memory-tenants.ts';
import { runCommandLine } from './program.ts';

const TENANT = {
  tenantId: newRandomId<TenantId>(),
  name: 'Evil\u202eName',
  modules: 2,
  quotaBytes: 100 * 1024 * 1024,
  usedBytes: 1536,
  devices: 1,
  snapshots: 7,
  created: '2026-01-02T03:04:05.678Z',
  managementCode: 'K7QF-2MXB-9RTA',
  suspended: null,
  warning: null,
  laterQuota: null,
  deletion: null,
};
const DEVICE = {
  deviceId: newRandomId<DeviceId>(),
  name: 'notebook',
  platform: 'linux',
  agentVersion: '1',
  enrolled: TENANT.created,
  lastSeen: null,
  revoked: null,
};
const COPY = {
  name: 'appliance-20260102T030405Z.sqlite',
  taken: TENANT.created,
  bytes: 2048,
  content: { tenants: 1, devices: 2 },
  secondFolder: '/second',
};
const FINDING = {
  tenantId: TENANT.tenantId,
  code: 'pack_damaged',
  detail: 'pack 3',
  affectedSnapshots: ['abc'],
};

const SCRUBBED = {
  packs: 7,
  objects: 1,
  bytes: 2048,
  damagedChunks: 0,
  recoveredChunks: 0,
  packsToRewrite: 0,
  rewrittenObjects: 0,
  mendedRows: 0,
  lostObjects: 0,
  isComplete: true,
  failures: [],
};
const COLLECTED = {
  condemned: 3,
  dropped: 2,
  freedBytes: 2048,
  repackedPacks: 1,
  writtenBytes: 1024,
  quarantined: 0,
  unlinkedBytes: 4096,
};
const DAMAGE: DamageItem = {
  tenantId: TENANT.tenantId,
  state: 'open',
  what: 'chunk_unreadable',
  found: TENANT.created,
  pack: 3,
  chunkId: 'ab'.repeat(32),
  object: null,
  healed: null,
  healedByPack: null,
  snapshots: ['cd'.repeat(32) as SnapshotId],
  devices: [DEVICE.deviceId],
};

let findings: VerifyFinding[] = [];
let damages: DamageItem[] = [];
afterEach(() => {
  findings = [];
  damages = [];
  process.exitCode = undefined;
});

const INVITED = {
  user: {
    userId: '1'.repeat(32) as UserId,
    tenantId: null,
    role: 'auditor',
    login: 'eva',
    name: 'Eva',
    state: 'invited',
    hasTotp: true,
    passkeys: 0,
    devices: [],
    created: TENANT.created,
    lastSignIn: null,
  },
  link: 'https://cofre.example/activate#secret',
  expires: TENANT.created,
} satisfies InvitedPerson;

const peopleInMemory: Administration['people'] = {
  create: async ({ login, name, role }) => ({ ...INVITED, user: { ...INVITED.user, login, name, role } }),
  list: async () => [INVITED.user],
  resetPassword: async () => ({ link: INVITED.link, expires: INVITED.expires }),
  firstRunToken: async () => ({ made: null }),
  auditPage: async () => ({ items: [], next: null }),
  verifyAudit: async (head) => ({
    entries: 1,
    head: { number: 1, hash: 'a'.repeat(64) },
    broken: head === null ? null : { number: head.number, problem: 'it is another one' },
  }),
};

const administration: Administration = {
  createTenant: async ({ name, modules }) => ({ ...TENANT, name, modules }),
  listTenants: async () => [TENANT],
  invite: async () => ({ line: 'cofre1:line', expires: TENANT.created }),
  listDevices: async () => [DEVICE],
  revokeDevice: async () => DEVICE,
  retention: retentionInMemory,
  tenants: tenantsInMemory,
  people: peopleInMemory,
  statistics: async () => [],
  copyDirectory: async () => COPY,
  listCopies: async () => [COPY, { ...COPY, content: null }],
  verify: async () => ({ tenants: 1, packs: 2, bytes: 3, snapshots: 4, findings }),
  scrub: async (tenant, { isDueOnly }) => ({
    ...SCRUBBED,
    packs: isDueOnly ? 0 : 7,
    tenants: tenant === null ? 2 : 1,
  }),
  collect: async (tenant) => ({
    ...COLLECTED,
    tenants: tenant === null ? 2 : 1,
    failures: tenant === 'bad' ? [{ tenantId: TENANT.tenantId, problem: 'frozen' }] : [],
  }),
  listDamages: async () => ({
    items: [{ tenantId: TENANT.tenantId, open: 1, healed: 0, items: damages }],
    failures: [],
  }),
};

async function run(...words: string[]) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const output = { stdout, stderr: stderr as unknown as NodeJS.WriteStream };
  const refuse = () => Promise.reject(new Error('not in this test'));
  const appliance = {
    serve: refuse,
    administer: <Result>(_: unknown, work: (given: Administration) => Promise<Result>) =>
      work(administration),
    stopped: { rebuild: refuse, acceptRebuilt: refuse, restoreCopy: refuse },
  };
  const status = await runCommandLine(words, { appliance, output }, {});
  stdout.end();
  stderr.end();
  return { status, stdout: await text(stdout), stderr: await text(stderr) };
}

test.each([
  ['no folder', ['tenant', 'list']],
  ['no quota', ['tenant', 'create', 'X', '--data', 'd']],
  ['a quota of nothing', ['tenant', 'create', 'X', '--modules', '0', '--data', 'd']],
  ['half a module', ['tenant', 'create', 'X', '--modules', '1.5', '--data', 'd']],
  ['no number', ['tenant', 'create', 'X', '--modules', '', '--data', 'd']],
  ['a name with a newline', ['tenant', 'create', 'a\nb', '--modules', '1', '--data', 'd']],
  ['half a command', ['tenant']],
  ['an unknown command', ['fly']],
  ['one word too many', ['tenant', 'list', 'x', '--data', 'd']],
  ['an unknown option', ['tenant', 'list', '--fast', '--data', 'd']],
])('%s is a wrong command line: status 2, and nothing on standard output', async (_, words) => {
  const ended = await run(...words);
  expect([ended.status, ended.stdout]).toEqual([2, '']);
  expect(ended.stderr).toMatch(/^(error: |Usage: )/);
});

test('a wrong command line is told to programs too', async () => {
  const { status, stdout } = await run('tenant', 'list', '--json');
  expect(status).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ message_type: 'error', code: 'usage', exit_code: 2 });
});

test.each(['', 'serve', 'tenant', 'tenant create', 'tenant list', 'device', 'device invite', 'device list'])(
  '"%s" has its help',
  async (words) => {
    const ended = await run(...words.split(' ').filter((word) => word !== ''), '--help');
    expect([ended.status, ended.stderr]).toEqual([0, '']);
    expect(ended.stdout).toContain(`Usage: cofre-server ${words}`.trim());
  },
);

test.each(['device revoke', 'verify', 'stats', 'version'])('"%s" has its help', async (words) => {
  const ended = await run(...words.split(' '), '--help');
  expect([ended.status, ended.stderr]).toEqual([0, '']);
  expect(ended.stdout).toContain(`Usage: cofre-server ${words}`);
});

test('a list is a table for people, in which no name can turn the line round', async () => {
  const { stdout } = await run('tenant', 'list', '--data', 'd');
  const [titles, row, ...rest] = stdout.trimEnd().split('\n');
  expect(titles).toMatch(/^TENANT\s+NAME\s+MODULES\s+USED\s+QUOTA\s+DEVICES\s+SNAPSHOTS\s+STATE$/);
  expect(row).toContain('Evil\\u{202e}Name');
  expect(row).toMatch(/1\.5 KiB\s+100\.0 MiB\s+1\s+7$/);
  expect(rest).toEqual([]);
});

test('with --json a list is one line, keys in snake_case', async () => {
  const { stdout } = await run('device', 'list', 'x', '--data', 'd', '--json');
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(stdout)).toMatchObject({
    message_type: 'summary',
    devices: [{ device_id: DEVICE.deviceId, agent_version: '1', last_seen: null }],
  });
});

test('an invitation is the line and nothing else', async () => {
  expect(await run('device', 'invite', 'x', '--data', 'd')).toEqual({
    status: 0,
    stdout: 'cofre1:line\n',
    stderr: '',
  });
});

test('verify ends with 0 when all is well, and with 1 and what it found when not', async () => {
  const well = await run('verify', '--data', 'd');
  expect([well.status, well.stdout]).toEqual([0, '1 tenants, 4 snapshots, 2 packs, 3 B read: no damage\n']);
  findings = [FINDING];
  const bad = await run('verify', '--data', 'd');
  expect(bad.status).toBe(1);
  expect(bad.stdout).toContain('pack_damaged  pack 3 (snapshots: abc)\n');
});

test('a warning is told and does not fail a verification; what would mend a finding is said', async () => {
  findings = [{ ...FINDING, code: 'pack_needs_rewrite', isWarning: true, remedy: 'repack' }];
  const warned = await run('verify', '--data', 'd');
  expect(warned.status).toBe(0);
  expect(warned.stdout).toContain('pack_needs_rewrite  pack 3 (snapshots: abc); it should be written anew\n');
  expect(warned.stdout).toContain(': no damage, 1 warnings\n');
});

test('a scrub is of one tenant or of all, of everything or of what is due', async () => {
  expect(await run('scrub', '--data', 'd')).toMatchObject({ status: 2, stdout: '' });
  expect(await run('scrub', 'x', '--all', '--data', 'd')).toMatchObject({ status: 2, stdout: '' });
  expect((await run('scrub', 'x', '--data', 'd')).stdout).toBe(
    '1 tenants, 7 packs, 2.0 KiB read: no damage\n',
  );
  const json = await run('scrub', '--all', '--due', '--json', '--data', 'd');
  expect(JSON.parse(json.stdout)).toMatchObject({
    message_type: 'summary',
    tenants: 2,
    packs: 0,
    is_complete: true,
  });
});

test('damage that is open fails; it names the snapshots and the device', async () => {
  expect(await run('damage', '--data', 'd')).toMatchObject({ status: 0 });
  damages = [DAMAGE];
  const open = await run('damage', '--data', 'd');
  expect(open.status).toBe(1);
  expect(open.stdout).toContain(
    `open  chunk_unreadable  pack 3, chunk ${DAMAGE.chunkId}: snapshots ${DAMAGE.snapshots[0]} of ${DEVICE.deviceId}\n`,
  );
  damages = [{ ...DAMAGE, state: 'healed', healed: TENANT.created, healedByPack: 9 }];
  process.exitCode = undefined;
  const healed = await run('damage', '--json', '--data', 'd');
  expect(healed.status).toBe(0);
  const { tenants } = JSON.parse(healed.stdout) as { tenants: { items: object[] }[] };
  expect(tenants[0]?.items).toMatchObject([{ state: 'healed', healed_by_pack: 9 }]);
});

test('a collection says what went and what came back, and fails when one of the vaults could not be collected', async () => {
  const well = await run('collect', '--data', 'd');
  expect(well.status).toBe(0);
  expect(well.stdout.split('\n')).toEqual([
    '3 pieces are not needed any more and go when their time is over',
    '2 pieces are gone: 2.0 KiB of quotas',
    '1 packs were written anew',
    '2 tenants, 3.0 KiB of disk are free again',
    '',
  ]);
  const bad = await run('collect', 'bad', '--data', 'd', '--json');
  expect(bad.status).toBe(1);
  expect(JSON.parse(bad.stdout)).toMatchObject({ freed_bytes: 2048, failures: [{ problem: 'frozen' }] });
});

test('a new account is a link and nothing else; without a role it is a usage error', async () => {
  const made = await run('user', 'create', 'Eva@Cofre.example', '--role', 'auditor', '--data', 'd');
  expect([made.status, made.stdout]).toEqual([0, `${INVITED.link}\n`]);
  expect((await run('user', 'create', 'eva', '--data', 'd')).status).toBe(EXIT.usage);
  expect((await run('user', 'create', 'e va', '--role', 'auditor', '--data', 'd')).status).toBe(EXIT.usage);
});

test('people are listed with what they have', async () => {
  const { stdout } = await run('user', 'list', '--data', 'd');
  expect(stdout).toMatch(/eva +Eva +auditor +invited +authenticator +never/);
});

test('there is no first-run token once there is a provider admin', async () => {
  const { status, stderr } = await run('user', 'first-run-token', '--data', 'd');
  expect([status, stderr]).toEqual([EXIT.failed, expect.stringContaining('already exists')]);
});

test('an audit log that was changed fails its verification', async () => {
  const whole = await run('audit', 'verify', '--data', 'd');
  expect([whole.status, whole.stdout]).toEqual([0, expect.stringContaining(`head 1:${'a'.repeat(64)}`)]);
  const broken = await run('audit', 'verify', '--head', `1:${'b'.repeat(64)}`, '--data', 'd');
  expect([broken.status, broken.stdout]).toEqual([EXIT.failed, expect.stringContaining('broken at entry 1')]);
  expect((await run('audit', 'verify', '--head', 'x', '--data', 'd')).status).toBe(EXIT.usage);
});
