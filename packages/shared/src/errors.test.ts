import { describe, expect, it } from 'vitest';
import { CofreError, isErrorCode, type ErrorCode } from './errors.ts';
import { ERROR_CATALOGUE } from './errors/catalogue.ts';
import { EXIT } from './errors/exit-codes.ts';

const ENTRIES = Object.entries(ERROR_CATALOGUE);

function placesOf(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([place]) => place).toSorted();
}

describe.each(ENTRIES)('the error %s', (code, entry) => {
  it('has a message and a hint in both languages, with the same places to fill', () => {
    for (const texts of [entry.en, entry.es]) {
      expect(texts).toHaveLength(2);
      for (const text of texts) expect(text.trim()).not.toBe('');
    }
    expect(placesOf(entry.es[0])).toEqual(placesOf(entry.en[0]));
    expect(placesOf(entry.es[1])).toEqual(placesOf(entry.en[1]));
  });

  it('has a place to fill in each pair of braces, and none that is left open', () => {
    for (const text of [...entry.en, ...entry.es]) {
      expect(text.replace(/\{\w+\}/g, '')).not.toMatch(/[{}]/);
    }
  });

  it('ends the program with a known status, and answers with one of HTTP', () => {
    expect(Object.values(EXIT)).toContain(entry.exit);
    expect(entry.exit).not.toBe(EXIT.done);
    expect(entry.http).toBeGreaterThanOrEqual(400);
    expect(entry.http).toBeLessThan(600);
  });

  it('is named in snake case', () => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(isErrorCode(code)).toBe(true);
  });
});

describe('an error', () => {
  it('fills its places in the language of who reads it', () => {
    const error = new CofreError('busy', { what: 'The folder' });
    expect(error.message).toBe('The folder is in use by another process.');
    expect(error.describe('es').message).toBe('The folder está en uso por otro proceso.');
    expect([error.code, error.retryable, error.httpStatus, error.exitCode]).toEqual(['busy', true, 409, 11]);
    expect(error.name).toBe('CofreError');
  });

  it('leaves a place as it is when nothing was given for it', () => {
    expect(new CofreError('damaged', { what: 'It' }).message).toBe('It is damaged: {problem}');
  });

  it('does not fill what came with a parameter', () => {
    const error = new CofreError('damaged', { what: '{problem}', problem: '$& {what}' });
    expect(error.message).toBe('{problem} is damaged: $& {what}');
  });

  it('keeps its cause', () => {
    const cause = new Error('below');
    expect(new CofreError('internal', { problem: 'x' }, { cause }).cause).toBe(cause);
    expect(new CofreError('internal', { problem: 'x' }).retryable).toBe(false);
  });

  it('is named by the catalogue and by nothing that every object has', () => {
    for (const name of ['toString', 'constructor', '__proto__', 'unheard_of'])
      expect(isErrorCode(name)).toBe(false);
  });
});

it('no two situations that scripts tell apart end with the same status', () => {
  const statuses = Object.values(EXIT);
  expect(new Set(statuses).size).toBe(statuses.length);
  const exitOf = (code: ErrorCode): number => new CofreError(code).exitCode;
  expect([
    exitOf('usage'),
    exitOf('busy'),
    exitOf('wrong_key'),
    exitOf('device_revoked'),
    exitOf('over_quota'),
  ]).toEqual([2, 11, 12, 13, 14]);
});
