import { expect, test } from 'vitest';
import { parseBenchOptions } from './options.ts';

test('everything is measured unless less is asked for', () => {
  expect(parseBenchOptions([])).toMatchObject({
    dataSets: ['usr-lib', 'random', 'sql', 'small'],
    contenders: ['cofre', 'restic', 'borg'],
    lastPhase: 'restore',
    runs: 3,
    scale: 1,
  });
});

test('phases that a reported one builds on are run, later ones are not', () => {
  expect(parseBenchOptions(['--only', 'unchanged'])).toMatchObject({
    phases: ['unchanged'],
    lastPhase: 'unchanged',
  });
});

test('the separator that pnpm passes on is no option', () => {
  expect(parseBenchOptions(['--', '--runs', '2'])).toMatchObject({ runs: 2 });
});

test.each([
  ['--data', 'nothing'],
  ['--runs', '0'],
  ['--scale', 'much'],
  ['--unknown', 'x'],
])('%s %s is refused', (option, value) => {
  expect(() => parseBenchOptions([option, value])).toThrow(option);
});
