import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { agentComputer, type AgentComputer } from '../builders/agent-process.ts';
import {
  backUp,
  backupLine,
  expectEnd,
  expectFailure,
  expectRestores,
  restore,
  restoredAt,
} from '../builders/agent-run.ts';
import { Installation, type Account } from '../builders/installation.ts';
import { NetworkProxy } from '../builders/network-proxy.ts';
import { SeededRandom } from '../builders/seeded-random.ts';
import { selfSignedCertificate } from '../builders/self-signed-certificate.ts';
import { startServerProcess, type ServerProcess } from '../builders/server-process.ts';
import { useInstallation } from '../builders/use-installation.ts';
import { lacks } from '../requirements.ts';

/** What happens to an account, a server or a run: each has its own end, says what it is, and what to do about it. */

const MIB = 1024 ** 2;

const installation = useInstallation();
let account: Account;
let computer: AgentComputer;
let source: string;
let restores = 0;

beforeEach(async () => {
  ({ account, computer, source } = await installation().computer({ modules: 1 }));
  mkdirSync(source);
  writeFileSync(join(source, 'file'), new SeededRandom('small').bytes(100_000));
});

async function expectLatestRestores(): Promise<void> {
  const target = account.at(`restored-${++restores}`);
  await expectRestores(computer, account, 'latest', { source, target });
}

test('more than the quota: how much is missing is said, what was there stays, and less goes in again', async () => {
  await backUp(computer, source);
  const random = new SeededRandom('too much');
  for (let number = 0; number < 9; number++) {
    writeFileSync(join(source, `big-${number}`), random.bytes(7 * MIB));
  }
  const run = await computer.run('backup', source, '--json');
  expectFailure(run, {
    exit: 14,
    code: 'over_quota',
    // A tenth is kept for catalogs: content may have 45 of the 50 MiB, with what is under way it may reach for more.
    message:
      /^The quota is used up: [\d.]+ [KM]iB more are needed \(\d\d\.\d MiB of (45|50)\.0 MiB used\)\.$/,
    hint: 'Ask for more modules or keep less; earlier snapshots are untouched.',
  });
  expect(await account.usedBytes()).toBeLessThanOrEqual(50 * MIB);
  for (let number = 0; number < 9; number++) rmSync(join(source, `big-${number}`));
  const target = account.at('target');
  await restore(computer, account, 'latest', target);
  expect(readdirSync(restoredAt(target, source))).toEqual(['file']);
  writeFileSync(join(source, 'little'), 'more');
  expect(await backUp(computer, source)).toMatchObject({ files_new: 1, files_unmodified: 1 });
  await expectLatestRestores();
  expectEnd(await computer.run('verify', '--read-data', '--kit', account.kit), 0);
});

test('a computer that was removed from the account', async () => {
  await backUp(computer, source);
  await account.revoke('one');
  for (const words of [
    ['backup', source],
    ['snapshots'],
    ['restore', 'latest', '--target', account.at('never'), '--kit', account.kit],
  ]) {
    expectFailure(await computer.run(...words, '--json'), {
      exit: 13,
      code: 'device_revoked',
      message: 'This computer was removed from the account.',
      hint: 'Ask the person who administers the backups.',
    });
  }
  // What it sent is the account's, and another computer brings it back.
  computer = await account.computer('other');
  await expectLatestRestores();
});

describe('two runs at the same time', () => {
  let line: NetworkProxy;
  let held: AgentComputer;

  beforeEach(async () => {
    line = await NetworkProxy.open(installation().server.origin);
    held = await account.computer('held', { origin: line.origin });
    writeFileSync(join(source, 'big'), new SeededRandom('big').bytes(20 * MIB));
  });

  test('on one computer: the second one ends, the first one goes on', async () => {
    const begun = line.afterBytes(MIB);
    const first = held.run('backup', source, '--json');
    await begun;
    line.set('frozen');
    const second = await held.run('backup', source, '--json');
    line.set('open');
    expectFailure(second, {
      exit: 11,
      code: 'busy',
      message: `${held.state} is in use by another process.`,
      hint: 'Wait until it has ended, or stop it.',
    });
    expectEnd(await first, 0);
    line.close();
  });

  test('on two computers of the account: both are done', async () => {
    const [first, second] = await Promise.all([backUp(held, source), backUp(computer, source)]);
    expect([first.files_failed, second.files_failed]).toEqual([0, 0]);
    await expectLatestRestores();
    line.close();
  });
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'a run that is ended by %s goes on with the next',
  async (signal) => {
    writeFileSync(join(source, 'big'), new SeededRandom('big').bytes(30 * MIB));
    const line = await NetworkProxy.open(installation().server.origin);
    const slow = await account.computer('slow', { origin: line.origin });
    const usedBefore = await account.usedBytes();
    const begun = line.afterBytes(20 * MIB);
    const run = await slow.runWith(['backup', source, '--json'], (agent) => {
      void begun.then(() => agent.kill(signal));
    });
    expectFailure(run, {
      exit: 130,
      code: 'interrupted',
      message: 'Interrupted.',
      hint: 'Run the command again: it goes on from what was sent.',
    });
    const kept = (await account.usedBytes()) - usedBefore;
    expect(kept).toBeGreaterThan(8 * MIB);
    const next = await slow.run('backup', source, '--json');
    expectEnd(next, 0);
    expect(backupLine(next).bytes_sent).toBeLessThan(31 * MIB - kept);
    line.close();
  },
);

test('a restore that is interrupted leaves no half file', async () => {
  writeFileSync(join(source, 'big'), new SeededRandom('big').bytes(30 * MIB));
  await backUp(computer, source);
  const line = await NetworkProxy.open(installation().server.origin);
  const slow = await account.computer('slow', { origin: line.origin });
  const target = account.at('target');
  const words = ['restore', 'latest', '--target', target, '--kit', account.kit, '--json'];
  const run = await slow.runWith(words, (agent) => {
    void line.afterReceived(5 * MIB).then(() => agent.kill('SIGINT'));
  });
  expectEnd(run, 130);
  const left = spawnSync('find', [target, '-name', 'big*', '-o', '-name', '.cofre*'], { encoding: 'utf8' });
  expect(left.stdout).toBe('');
  line.close();
});

test('a server that is not there', async () => {
  await backUp(computer, source);
  await installation().stopServer();
  try {
    const commands = [
      ['backup', source],
      ['snapshots'],
      ['restore', 'latest', '--target', account.at('never'), '--kit', account.kit],
      ['verify'],
    ];
    const runs = await Promise.all(commands.map(async (words) => await computer.run(...words, '--json')));
    for (const run of runs) {
      expectFailure(run, {
        exit: 10,
        code: 'server_unreachable',
        message: /^The server http:\/\/127\.0\.0\.1:\d+ does not answer: connection refused$/,
        hint: 'Check the network and the address. What was sent is kept; run the command again.',
      });
    }
  } finally {
    await installation().startServer();
  }
  await backUp(computer, source);
});

describe('a certificate that is not the pinned one', () => {
  let folder: string;
  let server: ServerProcess;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cofre-tls-'));
  });

  async function serve(name: string, listen = '127.0.0.1:0'): Promise<void> {
    const { certificate, key } = selfSignedCertificate();
    writeFileSync(join(folder, `${name}.pem`), certificate, { flag: 'a' });
    writeFileSync(join(folder, `${name}.key`), key, { flag: 'a' });
    const tls = ['--tls-cert', join(folder, `${name}.pem`), '--tls-key', join(folder, `${name}.key`)];
    const words = ['--store', join(folder, 'store'), '--listen', listen, ...tls];
    server = await startServerProcess(join(folder, 'data'), words);
  }

  test('is refused by every command, and when a computer joins, before anything is said', async () => {
    await serve('genuine');
    const { tenantId } = await server.administration.createTenant({ name: 'tls', modules: 1 });
    const line = (await server.administration.invite(tenantId)).line;
    const unused = (await server.administration.invite(tenantId)).line;
    const enrolled = agentComputer(join(folder, 'state'));
    const kit = join(folder, 'kit.txt');
    expectEnd(await enrolled.run('enroll', line, '--kit', kit), 0);
    expectEnd(await enrolled.run('backup', source), 0);
    await server.stop();
    await serve('other', new URL(server.origin).host);
    const changed = {
      exit: 1,
      code: 'server_certificate_changed',
      message: `The server ${server.origin} shows another certificate than the one pinned at enrolment.`,
      hint: 'If the provider did not announce a new one, somebody may be listening: do not go on. Otherwise enrol with a new line.',
    };
    const joining = agentComputer(join(folder, 'joining'));
    expectFailure(await joining.run('enroll', unused, '--kit', kit, '--json'), changed);
    expectFailure(await enrolled.run('backup', source, '--json'), changed);
    expectFailure(await enrolled.run('ls', 'latest', '--kit', kit, '--json'), changed);
    await server.stop();
    rmSync(folder, { recursive: true });
  });
});

test.skipIf(lacks('root', 'mount', 'umount'))(
  'a server whose disk is full takes nothing, restores, and recovers',
  async () => {
    const store = mkdtempSync(join(tmpdir(), 'cofre-full-'));
    const mount = (...words: string[]) => expect(spawnSync('mount', words).stderr.toString()).toBe('');
    mount('-t', 'tmpfs', '-o', 'size=90m', 'cofre-test', store);
    const full = await Installation.start({ store: join(store, 'store') });
    try {
      account = await full.account();
      computer = await account.computer('one');
      await backUp(computer, source);
      const random = new SeededRandom('fill');
      for (let number = 0; number < 8; number++)
        writeFileSync(join(source, `big-${number}`), random.bytes(8 * MIB));
      expectFailure(await computer.run('backup', source, '--json'), {
        exit: 1,
        code: 'storage_full',
        message: 'The disk of the server is full.',
        hint: 'The provider has to make room; earlier snapshots are safe and can be restored.',
      });
      const target = account.at('restored');
      expectEnd(await computer.run('restore', 'latest', '--target', target, '--kit', account.kit), 0);
      mount('-o', 'remount,size=300m', store);
      await backUp(computer, source);
      await expectLatestRestores();
      expect((await full.command('verify')).status).toBe(0);
    } finally {
      await full.remove();
      spawnSync('umount', [store]);
      rmSync(store, { recursive: true });
    }
  },
);
