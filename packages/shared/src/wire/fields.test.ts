import { describe, expect, it } from 'vitest';
import { LIMITS } from '../limits.ts';
import { base64, chunkId, instant, pageQuery, personalName, tenantId } from './fields.ts';

const accepts = (schema: { safeParse: (value: unknown) => { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

describe('a name that people choose', () => {
  it('is trimmed, and may be in any language', () => {
    expect(personalName.parse('  Panadería 日本 ')).toBe('Panadería 日本');
  });

  it.each(['', '   ', 'a\nb', 'a\u001b[2J', 'a\u0085b', 'a'.repeat(LIMITS.nameCharactersMax + 1)])(
    'is not %j',
    (name) => {
      expect(accepts(personalName, name)).toBe(false);
    },
  );
});

describe('ids on the wire', () => {
  it('are lower-case hexadecimal of their length', () => {
    expect(accepts(tenantId, 'ab'.repeat(16))).toBe(true);
    expect(accepts(chunkId, 'ab'.repeat(32))).toBe(true);
    for (const id of ['', 'AB'.repeat(16), 'ab'.repeat(17), `${'ab'.repeat(16)}\n`, 5, null]) {
      expect(accepts(tenantId, id)).toBe(false);
    }
  });
});

describe('bytes in base64', () => {
  it('have a bound on what they decode to', () => {
    expect(accepts(base64(4), Buffer.alloc(4).toString('base64'))).toBe(true);
    expect(accepts(base64(4), Buffer.alloc(7).toString('base64'))).toBe(false);
    expect(accepts(base64(4), 'ab c')).toBe(false);
    expect(accepts(base64(4), 'ab_-')).toBe(false);
  });
});

describe('a page', () => {
  it('begins at the beginning and is as long as may be, unless something else is asked for', () => {
    expect(pageQuery.parse({})).toEqual({ after: 0, limit: LIMITS.pageItemsMax });
    expect(pageQuery.parse({ after: '7', limit: '10' })).toEqual({ after: 7, limit: 10 });
  });

  it.each([
    { after: '-1' },
    { limit: '0' },
    { limit: String(LIMITS.pageItemsMax + 1) },
    { after: 'x' },
    { after: '1.5' },
  ])('is not %o', (query) => {
    expect(accepts(pageQuery, query)).toBe(false);
  });
});

it('an instant is a time in UTC', () => {
  expect(accepts(instant, new Date(0).toISOString())).toBe(true);
  expect(accepts(instant, '1970-01-01T00:00:00+02:00')).toBe(false);
  expect(accepts(instant, '1970-01-01')).toBe(false);
});
