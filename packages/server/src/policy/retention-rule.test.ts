import { expect, test } from 'vitest';
import { LIMITS } from '@cofre/shared/limits';
import { parseRetentionRule, requireTimeZone, RULE_PARTS } from './retention-rule.ts';

const refused = (code: string) => expect.objectContaining({ code });

test('what is missing of a rule is 0', () => {
  expect(parseRetentionRule({ daily: 7 })).toMatchObject({ daily: 7, keepLast: 0, changedAndDeletedDays: 0 });
});

test('a rule that keeps nothing is refused', () => {
  for (const given of [{}, { keepLast: 0 }, Object.fromEntries(RULE_PARTS.map((part) => [part, 0]))]) {
    expect(() => parseRetentionRule(given)).toThrow(refused('rule_keeps_nothing'));
  }
});

test('a rule with what is no count, with too much, or with an unknown part is refused', () => {
  for (const given of [
    { keepLast: -1 },
    { keepLast: 1.5 },
    { keepLast: '3' },
    { keepLast: Number.NaN },
    { daily: LIMITS.retentionCountMax + 1 },
    { keepDays: LIMITS.retentionDaysMax + 1 },
    { keepLast: 1, keepForever: 1 },
  ]) {
    expect(() => parseRetentionRule(given)).toThrow(refused('invalid_request'));
  }
});

test('a time zone is one that there is', () => {
  expect(() => requireTimeZone('America/Santiago')).not.toThrow();
  expect(() => requireTimeZone('America/Nowhere')).toThrow(refused('invalid_request'));
});
