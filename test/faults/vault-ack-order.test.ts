import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lacks } from '../requirements.ts';
import { runWriter } from './vault/check-survivor.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cofre-vault-order-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Calls of the kernel in the order in which they ended, each in one line. */
function completedCalls(trace: string): string[] {
  const begun = new Map<string, string>();
  return trace.split('\n').flatMap((line) => {
    const [, thread = '', call = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (call.endsWith('<unfinished ...>')) {
      begun.set(thread, call);
      return [];
    }
    return call.startsWith('<...') ? [`${begun.get(thread)} ${call}`] : [call];
  });
}

/** Fails unless these calls are there one after the other. */
function expectInOrder(calls: readonly string[], steps: Record<string, RegExp>): void {
  let place = -1;
  for (const [step, pattern] of Object.entries(steps)) {
    const next = calls.findIndex((call, index) => index > place && pattern.test(call));
    expect(next, `${step}: ${pattern}`).toBeGreaterThan(place);
    place = next;
  }
}

test.skipIf(lacks('strace'))('nothing is acknowledged before every sync that it rests on', async () => {
  const file = join(folder, 'trace');
  const what = ['-e', 'trace=fsync,fdatasync,link,linkat,write', '-s', '100', '-y'];
  const log = await runWriter(folder, { prefix: ['strace', '-f', '-qq', ...what, '-o', file] });
  const calls = completedCalls(readFileSync(file, 'utf8'));
  const logSynced = /^f(data)?sync\(\d+<[^>]*\.db-wal>/;
  let checked = 0;
  for (const event of log.events) {
    if (event.event === 'pack') {
      const number = event.packNumber;
      const shelf = String(number % 100).padStart(2, '0');
      expectInOrder(calls, {
        'content synced': new RegExp(`^f(data)?sync\\(\\d+<[^>]*/incoming/${number}\\.pack>`),
        linked: new RegExp(`^link.*/incoming/${number}\\.pack".*/packs/${shelf}/${number}\\.pack"`),
        'name synced': new RegExp(`^f(data)?sync\\(\\d+<[^>]*/packs/${shelf}>`),
        'rows synced': logSynced,
        acknowledged: new RegExp(`^write\\(1<.*"event\\\\":\\\\"pack\\\\".*${event.operationId}`),
      });
      checked += 1;
    }
    if (event.event === 'snapshot') {
      for (const [number, kind] of [
        [event.number, 'manifest'],
        [event.number + 1, 'receipt'],
      ]) {
        expectInOrder(calls, {
          'content synced': new RegExp(`^f(data)?sync\\(\\d+<[^>]*/incoming/${number}\\.object>`),
          linked: new RegExp(`^link.*/incoming/${number}\\.object".*/objects/${number}\\.${kind}"`),
          'name synced': /^f(data)?sync\(\d+<[^>]*\/objects>/,
          'rows synced': logSynced,
          acknowledged: new RegExp(
            `^write\\(1<.*"event\\\\":\\\\"snapshot\\\\",\\\\"number\\\\":${event.number},`,
          ),
        });
        checked += 1;
      }
    }
  }
  expect(checked).toBeGreaterThan(9);
});
