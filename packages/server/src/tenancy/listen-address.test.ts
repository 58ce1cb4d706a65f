import { expect, test } from 'vitest';
import { isLoopback, originOf, parseListenAddress } from './listen-address.ts';

test.each([
  ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['[::1]:65535', { host: '::1', port: 65_535 }],
])('%s is understood', (text, expected) => {
  expect(parseListenAddress(text)).toEqual(expected);
});

test.each([
  '',
  '8080',
  ':8080',
  '127.0.0.1',
  '127.0.0.1:',
  '127.0.0.1:65536',
  '::1:80',
  '[localhost]:80',
  'a:b:1',
])('"%s" is refused', (text) => {
  expect(() => parseListenAddress(text)).toThrow(expect.objectContaining({ code: 'settings_invalid' }));
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.0.2.1', false],
  ['127.example.com', false],
  ['localhost.example.com', false],
])('only this machine reaches %s: %s', (host, expected) => {
  expect(isLoopback({ host, port: 1 })).toBe(expected);
});

test('an origin brackets IPv6 and leaves out the usual port', () => {
  expect(originOf({ host: '::1', port: 8443 }, true)).toBe('https://[::1]:8443');
  expect(originOf({ host: 'backup.example', port: 443 }, true)).toBe('https://backup.example');
});
