import { expect, test } from 'vitest';
import { csvOf } from './csv.ts';

test('fields are quoted where they have to be, and lines end in CR LF', () => {
  const rows = [['Panadería "Sol", S.A.', 'two\nlines', 1.5, '']];
  expect(csvOf(['a', 'b', 'c', 'd'], rows)).toBe(
    'a,b,c,d\r\n"Panadería ""Sol"", S.A.","two\nlines",1.5,\r\n',
  );
  expect(csvOf(['a'], [])).toBe('a\r\n');
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\t=1', '\r=1', '|x'])(
  '%j is no formula for a spreadsheet',
  (text) => {
    const [, line = ''] = csvOf(['name'], [[text]]).split('name\r\n');
    expect(line.replace(/^"/, '').startsWith("'")).toBe(true);
    expect(line).toContain(text);
  },
);

test('numbers below zero stay numbers, and names within are left alone', () => {
  expect(csvOf(['a', 'b'], [[-1, 'a=b-c@d']])).toBe('a,b\r\n-1,a=b-c@d\r\n');
});
