import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseKit } from '@cofre/shared/crypto/kit';
import { formatEnrolmentLine, parseEnrolmentLine } from '@cofre/shared/wire/enrolment-line';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentComputer, type AgentComputer } from '../builders/agent-process.ts';
import { backUp, expectEnd, expectFailure } from '../builders/agent-run.ts';
import { Installation, type Account } from '../builders/installation.ts';

/** What people get wrong: each has its own end, says what it is, and what to do about it. */

let installation: Installation;
let account: Account;
let computer: AgentComputer;
let source: string;
let snapshot: string;
let computers = 0;

beforeAll(async () => {
  installation = await Installation.start();
  account = await installation.account();
  computer = await account.computer('one');
  source = account.at('source');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'content');
  snapshot = (await backUp(computer, source)).snapshot_id;
});

afterAll(async () => installation.remove());

function newComputer(): AgentComputer {
  return agentComputer(account.at(`new-${++computers}`));
}

describe('an enrolment line', () => {
  const hint = 'Copy the whole line again, from "cofre1:" to its end.';
  const invalid = { exit: 2, code: 'enrolment_line_invalid', hint };

  test.each([
    ['cut at its end', (line: string) => line.slice(0, -1), 'its last characters do not match the rest'],
    ['cut in the middle', (line: string) => line.slice(0, line.indexOf('#') + 5), 'a part of it is missing'],
    ['cut at its beginning', (line: string) => line.slice(3), 'it does not begin with "cofre1:"'],
    ['with one wrong character', oneCharacterWrong, 'its last characters do not match the rest'],
    ['that is another', () => 'https://backup.example', 'it does not begin with "cofre1:"'],
    ['that is empty', () => '', 'it does not begin with "cofre1:"'],
    ['that is endless', (line: string) => line + 'x'.repeat(5000), 'it is too long'],
  ])('%s', async (_, mangle, problem) => {
    const run = await newComputer().run('enroll', mangle(await account.invite()), '--kit', account.kit);
    expectFailure(run, { ...invalid, message: `This is not a complete enrolment line: ${problem}` });
  });

  test('with space around it, as a mail program leaves it, is taken', async () => {
    const line = ` \t${await account.invite()} \n`;
    expectEnd(await newComputer().run('enroll', line, '--kit', account.kit), 0);
  });

  test('with a code that the server does not know', async () => {
    const line = formatEnrolmentLine({ ...parseEnrolmentLine(await account.invite()), code: 'a'.repeat(32) });
    expectFailure(await newComputer().run('enroll', line, '--kit', account.kit, '--json'), {
      exit: 10,
      code: 'enrolment_code_unknown',
      message: 'The server does not know this enrolment code.',
      hint: 'Ask for a new line; each works once.',
    });
  });

  test('that was used', async () => {
    const line = await account.invite();
    expectEnd(await newComputer().run('enroll', line, '--kit', account.kit), 0);
    const second = newComputer();
    expectFailure(await second.run('enroll', line, '--kit', account.kit, '--json'), {
      exit: 1,
      code: 'enrolment_code_used',
      message: 'This enrolment line was already used.',
      hint: 'Ask for a new line; each works once.',
    });
    // Nothing of the failed attempt stands in the way of the next one.
    expectEnd(await second.run('enroll', await account.invite(), '--kit', account.kit), 0);
  });

  test('that has expired', async () => {
    const line = await account.invite();
    await installation.stopServer();
    const database = new DatabaseSync(join(installation.data, 'appliance.sqlite'));
    database.exec('UPDATE invitations SET expires_ms = created_ms - 1');
    database.close();
    await installation.startServer();
    expectFailure(await newComputer().run('enroll', line, '--kit', account.kit, '--json'), {
      exit: 1,
      code: 'enrolment_code_expired',
      message: 'This enrolment line has expired.',
      hint: 'Ask for a new line.',
    });
  });

  test('on a computer that is enrolled already', async () => {
    expectFailure(await computer.run('enroll', await account.invite(), '--kit', account.kit, '--json'), {
      exit: 1,
      code: 'already_enrolled',
      message: `This computer is already enrolled (state in ${computer.state}).`,
      hint: 'Use another --state folder for a second account.',
    });
  });
});

function oneCharacterWrong(line: string): string {
  const at = line.indexOf('#') + 4;
  return `${line.slice(0, at)}${line[at] === 'a' ? 'b' : 'a'}${line.slice(at + 1)}`;
}

describe('a kit', () => {
  const opens: Record<string, (kit: string) => string[]> = {
    ls: (kit) => ['ls', snapshot, '--kit', kit],
    find: (kit) => ['find', snapshot, '*', '--kit', kit],
    diff: (kit) => ['diff', snapshot, snapshot, '--kit', kit],
    restore: (kit) => ['restore', snapshot, '--target', account.at('never'), '--kit', kit],
    'key test': (kit) => ['key', 'test', '--kit', kit],
    'verify --read-data': (kit) => ['verify', '--read-data', '--kit', kit],
    snapshots: (kit) => ['snapshots', '--kit', kit],
    'key show-kit': (kit) => ['key', 'show-kit', '--kit', kit],
  };

  test('of another account opens nothing', async () => {
    const other = await installation.account();
    await other.computer('theirs');
    for (const words of Object.values(opens)) {
      expectFailure(await computer.run(...words(other.kit), '--json'), {
        exit: 12,
        code: 'wrong_key',
        message: 'This recovery key does not open this account (account-1).',
        hint: 'Use the kit that belongs to it. Nobody else can open it, not even the provider.',
      });
    }
    expect(existsSync(account.at('never'))).toBe(false);
    const enrolling = await newComputer().run('enroll', await account.invite(), '--kit', other.kit, '--json');
    expectFailure(enrolling, {
      exit: 12,
      code: 'wrong_key',
      message: 'This recovery key does not open this account (it belongs to another account).',
      hint: 'Use the kit that belongs to it. Nobody else can open it, not even the provider.',
    });
  });

  test('is needed by the second computer of an account, and has to be there', async () => {
    const nowhere = account.at('nowhere.txt');
    expectFailure(await newComputer().run('enroll', await account.invite(), '--kit', nowhere, '--json'), {
      exit: 12,
      code: 'kit_needed',
      message: `This account already has a recovery key, and ${nowhere} does not exist.`,
      hint: 'Give the existing kit with --kit FILE.',
    });
    expect(existsSync(nowhere)).toBe(false);
  });

  const unreadable = {
    exit: 12,
    code: 'kit_unreadable',
    hint: 'Give the kit file that was made at enrolment, or type its 24 words into a file.',
  };

  test('that is not there, or no kit', async () => {
    const nowhere = account.at('nowhere.txt');
    const message = `${nowhere} is not a recovery kit: there is no such file`;
    expectFailure(await computer.run(...(opens['ls']?.(nowhere) ?? []), '--json'), {
      ...unreadable,
      message,
    });
    for (const [name, content] of [
      ['empty', ''],
      ['noise', randomBytes(3000)],
      ['prose', 'This is no kit, however long one reads.'],
    ] as const) {
      const file = account.at(name);
      writeFileSync(file, content);
      const run = await computer.run(...(opens['ls']?.(file) ?? []), '--json');
      expectFailure(run, { ...unreadable, message: new RegExp(`^${file} is not a recovery kit: `) });
    }
  });

  test('with a word that was mistyped', async () => {
    const text = readFileSync(account.kit, 'utf8');
    const words = parseKit(text, 'kit');
    expect(words.length).toBeGreaterThan(0);
    const wordLine = /^.*[a-z]+ {2}[a-z]+ {2}[a-z]+.*$/m.exec(text)?.[0] ?? '';
    const [word = ''] = /[a-z]{3,}/.exec(wordLine) ?? [];
    const wrong = account.at('mistyped.txt');
    writeFileSync(wrong, text.replace(wordLine, wordLine.replace(word, word === 'zoo' ? 'zone' : 'zoo')));
    const run = await computer.run(...(opens['ls']?.(wrong) ?? []), '--json');
    expectFailure(run, { ...unreadable, message: new RegExp(`^${wrong} is not a recovery kit: `) });
  });
});

describe('a command', () => {
  const usageHint = 'Run the command with --help to see what it takes.';

  test.each([
    ['that is unknown', ['restor'], "unknown command 'restor'\n(Did you mean restore?)"],
    ['with an unknown option', ['backup', '--frobnicate', '/'], "unknown option '--frobnicate'"],
    ['without what it needs', ['restore', 'latest'], "required option '--target <dir>' not specified"],
    ['without a path', ['backup'], 'no path was given'],
    ['without a kit', ['ls', 'latest'], '--kit FILE is needed'],
    ['with two modes', ['backup', '/x', '--full', '--differential'], /exclude each other/],
    ['with a broken pattern', ['backup', '/x', '--exclude', '[a'], /\[a/],
    ['with a policy that is none', ['restore', 'latest', '--target', 'x', '--existing', 'smash'], /smash/],
  ])('%s', async (_, words, message) => {
    expectFailure(await computer.run(...words), { exit: 2, code: 'usage', message, hint: usageHint });
  });

  test('of a computer that is not enrolled', async () => {
    const stranger = newComputer();
    for (const words of [['backup', source], ['snapshots'], ['status']]) {
      expectFailure(await stranger.run(...words, '--json'), {
        exit: 10,
        code: 'not_enrolled',
        message: `This computer is not enrolled (no state in ${stranger.state}).`,
        hint: 'Run: cofre enroll LINE --kit FILE',
      });
    }
  });

  test('for a snapshot or a path that is not there, or not the only one', async () => {
    const kit = ['--kit', account.kit, '--json'];
    const second = (await backUp(computer, source)).snapshot_id;
    const notThere = { exit: 10, code: 'not_found', hint: 'Check the name or id.' };
    const message = 'There is no snapshot "ffff0000".';
    expectFailure(await computer.run('ls', 'ffff0000', ...kit), { ...notThere, message });
    expectFailure(await computer.run('ls', second.slice(0, 3), ...kit), {
      ...notThere,
      message: `There is no snapshot "${second.slice(0, 3)}" (give four characters at least).`,
    });
    const path = join(source, 'nothing');
    const noPath = { exit: 1, code: 'path_not_found', message: `${path}: no such file or folder.` };
    const hint = 'Check the spelling.';
    expectFailure(await computer.run('ls', second, path, ...kit), { ...noPath, hint });
    const target = account.at('no target');
    const restoring = await computer.run('restore', second, path, '--target', target, ...kit);
    expectFailure(restoring, { ...noPath, hint });
    expect(existsSync(target)).toBe(false);
    expectFailure(await computer.run('backup', path, '--json'), { ...noPath, hint });
  });

  test('whose state was damaged says so, and nothing is overwritten', async () => {
    const damaged = await account.computer('damaged');
    const files = readFileSync(join(damaged.state, 'identity.json'), 'utf8');
    const broken = files.slice(0, files.length / 2);
    writeFileSync(join(damaged.state, 'identity.json'), broken);
    const run = await damaged.run('backup', source, '--json');
    expectFailure(run, {
      exit: 1,
      code: 'state_damaged',
      message: /^The agent state file .*identity\.json cannot be read: /,
      hint: 'Restore the file from a copy or enrol again with the kit.',
    });
    expect(readFileSync(join(damaged.state, 'identity.json'), 'utf8')).toBe(broken);
  });
});
