import { expect, test } from 'vitest';
import { newManagementCode, spelledCode } from './management-code.ts';

test('a code has three groups that can be read aloud, and none comes twice', () => {
  const codes = Array.from({ length: 500 }, newManagementCode);
  for (const code of codes) expect(code).toMatch(/^([A-HJ-NP-Z2-9]{4}-){2}[A-HJ-NP-Z2-9]{4}$/);
  expect(new Set(codes).size).toBe(codes.length);
});

test('a code is understood as people type it', () => {
  const code = newManagementCode();
  for (const typed of [
    code,
    code.toLowerCase(),
    code.replaceAll('-', ''),
    ` ${code.replaceAll('-', ' ')} `,
  ]) {
    expect(spelledCode(typed)).toBe(code);
  }
  expect(spelledCode('')).toBe('');
});
