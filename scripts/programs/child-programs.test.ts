import { expect, test } from 'vitest';
import { ChildPrograms, ProgramFailed } from './child-programs.ts';

function nodeProgram(code: string): [file: string, words: string[]] {
  return [process.execPath, ['-e', code]];
}

test('output comes by lines, and the last of it is kept', async () => {
  const lines: string[] = [];
  const programs = new ChildPrograms(new AbortController().signal);
  const ended = await programs.run(...nodeProgram('console.log("one\\ntwo")'), {
    onLine: (line) => lines.push(line),
  });
  expect(lines).toEqual(['one', 'two']);
  expect(ended).toMatchObject({ status: 0, stdout: 'one\ntwo\n' });
});

test('settings of an installation on this machine do not reach the program', async () => {
  process.env['COFRE_DATA'] = '/somewhere';
  try {
    const programs = new ChildPrograms(new AbortController().signal);
    const print = nodeProgram('console.log(process.env.COFRE_DATA, process.env.COFRE_STATE)');
    const { stdout } = await programs.run(...print, { environment: { COFRE_STATE: 'mine' } });
    expect(stdout).toBe('undefined mine\n');
  } finally {
    delete process.env['COFRE_DATA'];
  }
});

test('a program that fails is an error with its status and what it said', async () => {
  const programs = new ChildPrograms(new AbortController().signal);
  const failure = programs.run(...nodeProgram('console.error("no room"); process.exit(7)'));
  await expect(failure).rejects.toThrow(/ended with 7:\nno room/);
  await expect(failure).rejects.toBeInstanceOf(ProgramFailed);
});

test('an interruption ends what runs, gives its own reason, and lets nothing start', async () => {
  const interruption = new AbortController();
  const programs = new ChildPrograms(interruption.signal);
  const waiting = programs.run(...nodeProgram('console.log("up"); setInterval(() => {}, 1000)'), {
    onLine: () => interruption.abort(new Error('enough')),
  });
  await expect(waiting).rejects.toThrow('enough');
  await expect(programs.run(...nodeProgram(''))).rejects.toThrow('enough');
  expect(() => programs.start(...nodeProgram(''), ['pipe', 2])).toThrow('enough');
});
