import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatEnrolmentLine, parseEnrolmentLine } from '@cofre/shared/wire/enrolment-line';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { agentComputer, type AgentComputer, type AgentRun } from '../builders/agent-process.ts';
import { NetworkProxy } from '../builders/network-proxy.ts';
import { selfSignedCertificate } from '../builders/self-signed-certificate.ts';
import { startServerProcess, type ServerProcess } from '../builders/server-process.ts';
import { lacks } from '../requirements.ts';

/** `cofre` as people and scripts use it, against a real server: what it prints, and how it ends. */

let folder: string;
let server: ServerProcess;
/** Of the test that runs. */
let place: string;
let tenant: string;
let computer: AgentComputer;
let kit: string;
let source: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-agent-'));
  server = await startServerProcess(join(folder, 'data'), [
    '--store',
    join(folder, 'store'),
    '--listen',
    '127.0.0.1:0',
  ]);
});

afterAll(async () => {
  await server.stop('SIGKILL');
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  place = mkdtempSync(join(folder, 'test-'));
  computer = agentComputer(join(place, 'state'));
  kit = join(place, 'kit.txt');
  source = join(place, 'source');
  mkdirSync(source);
  tenant = (await server.administration.createTenant({ name: place.slice(-6), modules: 2 })).tenantId;
});

afterEach(() => rmSync(place, { recursive: true }));

async function invite(): Promise<string> {
  return (await server.administration.invite(tenant)).line;
}

async function enrol(): Promise<void> {
  const run = await computer.run('enroll', await invite(), '--kit', kit, '--name', 'caja 1', '--json');
  expectEnd(run, 0);
}

/** How a command ended; when it did otherwise, what it said stands in the message. */
function expectEnd({ status, signal, stdout, stderr }: AgentRun, expected: number): void {
  const said = status === expected ? '' : `${stdout}\n${stderr}`;
  expect({ status, signal, said }).toEqual({ status: expected, signal: null, said: '' });
}

test('a folder goes in and comes back; only what changed travels', async () => {
  await enrol();
  writeFileSync(join(source, 'a.bin'), Buffer.alloc(3_000_000, 'abcdefg'));
  writeFileSync(join(source, 'ñandú.txt'), 'uno');
  const first = (await computer.run('backup', source, '--json')).jsonOf('summary');
  expect(first).toMatchObject({ files_new: 2, files_changed: 0, files_unmodified: 0, files_failed: 0 });
  expect(first).toMatchObject({ bytes_read: 3_000_003, set: 'default', dry_run: false });
  expect(first['snapshot_id']).toMatch(/^[0-9a-f]{64}$/);
  expect(typeof first['duration_s']).toBe('number');
  writeFileSync(join(source, 'ñandú.txt'), 'dos');
  const second = (await computer.run('backup', source, '--json')).jsonOf('summary');
  expect(second).toMatchObject({ files_new: 0, files_changed: 1, files_unmodified: 1, files_failed: 0 });
  expect(second['bytes_sent']).toBeLessThan(20_000);

  const target = join(place, 'target');
  const restore = ['restore', String(first['snapshot_id']).slice(0, 10), '--target', target, '--kit', kit];
  const restored = await computer.run(...restore, '--json');
  expectEnd(restored, 0);
  expect(restored.jsonOf('summary')).toMatchObject({ files_restored: 2, is_complete: true });
  expect(readFileSync(join(target, source, 'ñandú.txt'), 'utf8')).toBe('uno');
  expect(readFileSync(join(target, source, 'a.bin')).equals(Buffer.alloc(3_000_000, 'abcdefg'))).toBe(true);
  expect((await computer.run(...restore)).stderr).toContain('is not empty');
});

test('snapshots, ls, find and diff tell programs and people what is there', async () => {
  await enrol();
  writeFileSync(join(source, 'one.txt'), '1');
  mkdirSync(join(source, 'inner'));
  writeFileSync(join(source, 'inner', 'two.txt'), '22');
  await computer.run('backup', source, '--set', 'docs', '-q');
  writeFileSync(join(source, 'one.txt'), 'other');
  rmSync(join(source, 'inner', 'two.txt'));
  await computer.run('backup', source, '--set', 'docs', '-q');

  const bare = (await computer.run('snapshots', '--json')).json();
  expect(bare).toMatchObject([
    { message_type: 'snapshot', files: 2 },
    { standing: 'confirmed', files: 1 },
  ]);
  expect(bare[0]).not.toHaveProperty('set');
  const named = (await computer.run('snapshots', '--json', '--kit', kit)).json();
  expect(named).toMatchObject([
    { set: 'docs', device: 'caja 1', roots: [{ path: source }] },
    { set: 'docs' },
  ]);

  const [before, after] = named.map((line) => String(line['snapshot_id']));
  const listed = await computer.run('ls', String(before), source, '--kit', kit, '--json');
  expect(listed.json()).toMatchObject([
    { message_type: 'entry', path: join(source, 'inner'), type: 'directory' },
    { path: join(source, 'one.txt'), type: 'file', size: 1 },
  ]);
  const found = await computer.run('find', 'latest', '*.txt', '--kit', kit);
  expect(found.stdout).toBe(`${join(source, 'one.txt')}\n`);
  const differences = await computer.run('diff', String(before), String(after), '--kit', kit, '--json');
  const changed = differences
    .json()
    .filter((line) => line['kind'] !== 'changed' || String(line['path']).endsWith('.txt'));
  expect(changed).toMatchObject([
    {
      message_type: 'difference',
      kind: 'changed',
      path: join(source, 'one.txt'),
      changes: ['content', 'metadata'],
    },
    { kind: 'removed', path: join(source, 'inner', 'two.txt') },
    { message_type: 'summary', added: 0, removed: 1 },
  ]);
});

test('verify, key test and status end with 0 when all is well', async () => {
  await enrol();
  writeFileSync(join(source, 'a'), 'content');
  await computer.run('backup', source, '-q');
  const verify = await computer.run('verify', '--read-data', '--kit', kit, '--json');
  expect(verify.jsonOf('summary')).toMatchObject({ snapshots: 1, findings: 0, data_was_read: true });
  expect((await computer.run('verify')).status).toBe(0);
  const key = await computer.run('key', 'test', '--kit', kit, '--json');
  expect(key.jsonOf('summary')).toMatchObject({ key_periods: 1, snapshots: 1 });
  const shown = await computer.run('key', 'show-kit', '--kit', kit);
  expect(shown.stdout.match(/[a-z]+ {2}[a-z]+ {2}[a-z]+ {2}[a-z]+/g)?.length).toBe(6);
  expect((await computer.run('key', 'show-kit')).stdout).toContain(kit);
  expect((await computer.run('status', '--json')).jsonOf('summary')).toMatchObject({ device: 'caja 1' });
});

describe('names of any bytes', () => {
  test('are backed up, listed exactly, and restored', async () => {
    await enrol();
    const name = Buffer.concat([Buffer.from(`${source}/`), Buffer.from('bad\xff\nname', 'latin1')]);
    writeFileSync(name, 'x');
    await computer.run('backup', source, '-q');
    const [entry] = (await computer.run('ls', 'latest', source, '--kit', kit, '--json')).json();
    expect(entry).toMatchObject({
      path: `${source}/bad\\xff\\x0aname`,
      path_base64: name.toString('base64'),
    });
    const target = join(place, 'target');
    await computer.run('restore', 'latest', '--target', target, '--kit', kit);
    expect(readdirSync(join(target, source), 'latin1')).toEqual(['bad\xff\nname']);
  });

  test('can be given in a list of paths that end with NUL', async () => {
    await enrol();
    const name = Buffer.concat([Buffer.from(`${source}/`), Buffer.from('bad\xff\nname', 'latin1')]);
    writeFileSync(name, 'x');
    const list = join(place, 'list');
    writeFileSync(list, Buffer.concat([name, Buffer.alloc(1)]));
    const run = await computer.run('backup', '--files-from-raw', list, '--json');
    expect(run.jsonOf('summary')).toMatchObject({ files_new: 1 });
  });
});

test('excludes leave out what they name, a dry run sends nothing', async () => {
  await enrol();
  writeFileSync(join(source, 'keep.txt'), '1');
  writeFileSync(join(source, 'drop.tmp'), '1');
  writeFileSync(join(source, 'drop.log'), '1');
  const patterns = join(place, 'patterns');
  writeFileSync(patterns, '# logs\n*.log\n');
  const words = ['backup', source, '--exclude', '*.tmp', '--exclude-file', patterns, '--json'];
  const dry = (await computer.run(...words, '--dry-run')).jsonOf('summary');
  expect(dry).toMatchObject({ snapshot_id: null, dry_run: true, bytes_sent: 0, files_new: 1 });
  expect((await computer.run('snapshots', '--json')).json()).toEqual([]);
  expect((await computer.run(...words)).jsonOf('summary')).toMatchObject({ files_new: 1 });
});

describe('what goes wrong has its own end', () => {
  test('a path that does not exist: 1 when it is the only one, 3 when others were backed up', async () => {
    await enrol();
    const missing = join(place, 'missing');
    const alone = await computer.run('backup', missing);
    expect(alone.status).toBe(1);
    expect(alone.stderr).toContain(`${missing}: no such file or folder`);
    const beside = await computer.run('backup', source, missing, '--json');
    expect(beside.status).toBe(3);
    expect(beside.jsonOf('error')).toMatchObject({ path: missing });
    expect(beside.jsonOf('summary')).toMatchObject({ files_failed: 1 });
  });

  test.skipIf(lacks('python3'))('a socket is noted, and is no failure', async () => {
    await enrol();
    const code = 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])';
    spawnSync('python3', ['-c', code, join(source, 'socket')]);
    expect(existsSync(join(source, 'socket'))).toBe(true);
    const run = await computer.run('backup', source, '--json');
    expect(run.status).toBe(0);
    expect(run.jsonOf('skipped')).toMatchObject({ path: join(source, 'socket'), reason: 'socket' });
  });

  test('enrolment lines that are cut, unknown or used', async () => {
    const line = await invite();
    const cut = await computer.run('enroll', line.slice(0, -3), '--kit', kit);
    expect(cut).toMatchObject({ status: 2 });
    const unknown = formatEnrolmentLine({ ...parseEnrolmentLine(line), code: 'z'.repeat(32) });
    expect(await computer.run('enroll', unknown, '--kit', kit)).toMatchObject({ status: 10 });
    expect(await computer.run('enroll', line, '--kit', kit)).toMatchObject({ status: 0 });
    const second = agentComputer(join(place, 'state-2'));
    const used = await second.run('enroll', line, '--kit', kit);
    expect(used).toMatchObject({ status: 1 });
    expect(used.stderr).toContain('already used');
    expect((await computer.run('enroll', await invite(), '--kit', kit)).stderr).toContain('already enrolled');
  });

  test('the kit of another account opens nothing: 12', async () => {
    await enrol();
    await computer.run('backup', source, '-q');
    const [mine, ownKit, ownTenant] = [computer, kit, tenant];
    tenant = (await server.administration.createTenant({ name: 'other', modules: 1 })).tenantId;
    kit = join(place, 'other-kit.txt');
    computer = agentComputer(join(place, 'other-state'));
    await enrol();
    for (const words of [
      ['key', 'test'],
      ['ls', 'latest'],
      ['restore', 'latest', '--target', join(place, 't')],
    ]) {
      const run = await mine.run(...words, '--kit', kit);
      expectEnd(run, 12);
    }
    tenant = ownTenant;
    const third = agentComputer(join(place, 'third'));
    expect(await third.run('enroll', await invite(), '--kit', kit)).toMatchObject({ status: 12 });
    expect(await third.run('enroll', await invite(), '--kit', ownKit)).toMatchObject({ status: 0 });
  });

  test('a second computer of the account reads what the first one sent', async () => {
    await enrol();
    writeFileSync(join(source, 'a'), 'content');
    await computer.run('backup', source, '-q');
    const second = agentComputer(join(place, 'state-2'));
    await second.run('enroll', await invite(), '--kit', kit);
    expect((await second.run('snapshots', '--json')).json()).toEqual([]);
    const target = join(place, 'target');
    const restored = await second.run('restore', 'latest', '--target', target, '--kit', kit);
    expectEnd(restored, 0);
    expect(readFileSync(join(target, source, 'a'), 'utf8')).toBe('content');
  });

  test('more than the quota: 14', async () => {
    await enrol();
    const big = join(source, 'random');
    spawnSync('sh', ['-c', 'head -c 120000000 /dev/urandom > "$1"', 'sh', big]);
    const run = await computer.run('backup', source, '--json');
    expectEnd(run, 14);
    expect(run.jsonOf('error')).toMatchObject({ code: 'over_quota' });
    truncateSync(big, 1000);
    expect(await computer.run('backup', source)).toMatchObject({ status: 0 });
  });

  test('a computer that was removed from the account: 13', async () => {
    await enrol();
    await server.administration.revokeDevice(tenant, 'caja 1');
    expectEnd(await computer.run('backup', source), 13);
  });

  test('a target behind a link, and a snapshot that does not exist', async () => {
    await enrol();
    await computer.run('backup', source, '-q');
    symlinkSync(place, join(place, 'link'));
    const words = ['restore', 'latest', '--kit', kit, '--target', join(place, 'link')];
    const refused = await computer.run(...words);
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toContain('cannot be used');
    expect(await computer.run('ls', 'abcdef', '--kit', kit)).toMatchObject({ status: 10 });
  });

  test('an address at which nobody answers: 10, and says so while it waits', async () => {
    const line = formatEnrolmentLine({
      address: 'http://127.0.0.1:9',
      code: 'x'.repeat(32),
      certificatePin: null,
    });
    const run = await computer.run('enroll', line, '--kit', kit);
    expect(run).toMatchObject({ status: 10 });
    expect(run.stderr).toMatch(/waiting for it …\nerror: The server http:\/\/127\.0\.0\.1:9 does not answer/);
    expect(existsSync(kit)).toBe(false);
  });
});

describe('a server that goes away in the middle', () => {
  let line: NetworkProxy;

  beforeEach(async () => {
    line = await NetworkProxy.open(server.origin);
    const invitation = { ...parseEnrolmentLine(await invite()), address: line.origin };
    expectEnd(await computer.run('enroll', formatEnrolmentLine(invitation), '--kit', kit), 0);
    spawnSync('sh', ['-c', 'head -c 50000000 /dev/urandom > "$1"', 'sh', join(source, 'random')]);
  });
  afterEach(() => line.close());

  test('and comes back: the run goes on to its end', async () => {
    const halfWay = line.afterBytes(20_000_000);
    const run = computer.run('backup', source, '--json');
    await halfWay;
    line.set('down');
    await new Promise((resolve) => setTimeout(resolve, 2000));
    line.set('open');
    const ended = await run;
    expectEnd(ended, 0);
    expect(ended.jsonOf('summary')).toMatchObject({ files_new: 1, files_failed: 0 });
    expectEnd(await computer.run('verify', '--read-data', '--kit', kit), 0);
  });

  test('and a user who will not wait: 130 at once, and the next run goes on from what was sent', async () => {
    const halfWay = line.afterBytes(40_000_000);
    const interrupted = computer.runWith(['backup', source], (agent) => {
      void halfWay.then(() => {
        line.set('frozen');
        agent.kill('SIGINT');
      });
    });
    expectEnd(await interrupted, 130);
    line.set('open');
    const next = await computer.run('backup', source, '--json');
    expectEnd(next, 0);
    expect(next.jsonOf('summary')['bytes_sent']).toBeLessThan(45_000_000);
  });
});

test('a server whose certificate was exchanged is not talked to; with the pinned one it is', async () => {
  const files = (name: string): string[] => {
    const { certificate, key } = selfSignedCertificate();
    writeFileSync(join(place, `${name}.pem`), certificate);
    writeFileSync(join(place, `${name}.key`), key);
    return ['--tls-cert', join(place, `${name}.pem`), '--tls-key', join(place, `${name}.key`)];
  };
  const data = join(place, 'data');
  const serve = async (listen: string, tls: string[]): Promise<ServerProcess> =>
    startServerProcess(data, ['--store', join(place, 'store'), '--listen', listen, ...tls]);
  const genuine = files('genuine');
  let secure = await serve('127.0.0.1:0', genuine);
  try {
    const { tenantId } = await secure.administration.createTenant({ name: 'tls', modules: 1 });
    const { line } = await secure.administration.invite(tenantId);
    expect(await computer.run('enroll', line, '--kit', kit)).toMatchObject({ status: 0 });
    expect(await computer.run('backup', source)).toMatchObject({ status: 0 });
    await secure.stop();
    secure = await serve(new URL(secure.origin).host, files('other'));
    const refused = await computer.run('backup', source, '--json');
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.jsonOf('error')).toMatchObject({ code: 'server_certificate_changed' });
    await secure.stop();
    secure = await serve(new URL(secure.origin).host, genuine);
    expect(await computer.run('backup', source)).toMatchObject({ status: 0 });
  } finally {
    await secure.stop('SIGKILL');
  }
});
