import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Narrator, type Stage } from './narrator.ts';

function stage(isTTY: boolean): { stage: Stage; said: () => string } {
  const stream = new PassThrough({ encoding: 'utf8' });
  return { stage: Object.assign(stream, { isTTY, columns: 60 }), said: () => String(stream.read() ?? '') };
}

async function tell(narrator: Narrator): Promise<void> {
  await narrator.step('Copy', async () => ({ result: null, said: 'done' }));
  await narrator.step('A longer title', async () => ({ result: null, said: 'also done' }));
}

test('without a terminal there are plain lines, whose columns stand below each other', async () => {
  const { stage: file, said } = stage(false);
  await tell(new Narrator(file, {}));
  const [first = '', second = ''] = said().split('\n');
  expect(first).toMatch(/^✓ {2}1 {2}Copy +0\.0 s {2}done$/);
  expect(first.indexOf('done')).toBe(second.indexOf('also done'));
});

test('a terminal gets colours, unless NO_COLOR is set', async () => {
  const colourful = stage(true);
  await tell(new Narrator(colourful.stage, {}));
  expect(colourful.said()).toContain('\u001b[32m✓\u001b[39m');
  const plain = stage(true);
  await tell(new Narrator(plain.stage, { NO_COLOR: '1' }));
  expect(plain.said()).not.toContain('\u001b[32m');
});

test('a step gives what its work gave; one that fails is marked, and its error goes on', async () => {
  const { stage: file, said } = stage(false);
  const narrator = new Narrator(file, {});
  expect(await narrator.step('Count', async () => ({ result: 42, said: '' }))).toBe(42);
  const failing = narrator.step('Fail', async () => {
    throw new Error('it broke');
  });
  await expect(failing).rejects.toThrow('it broke');
  expect(said()).toMatch(/✗ {2}2 {2}Fail/);
});
