import { expect, test } from 'vitest';
import { LIMITS } from '@cofre/shared/limits';
import { SignInThrottle } from './sign-in-throttle.ts';

function throttleAt(startMs = 1_000_000) {
  const time = { nowMs: startMs };
  return { time, throttle: new SignInThrottle(() => time.nowMs) };
}

/** How long the next attempt has to wait, in seconds. */
function waitOf(attempt: () => unknown): number {
  try {
    attempt();
    return 0;
  } catch (error) {
    return (error as { parameters: { seconds: number } }).parameters.seconds;
  }
}

test('delays of an account double from a second to a quarter of an hour', () => {
  const { time, throttle } = throttleAt();
  const probe = () => waitOf(() => throttle.begin('ana', '10.9.9.9'));
  for (let failures = 0; failures < LIMITS.signInFreeFailures; failures += 1) throttle.begin('ana', null);
  const waits = Array.from({ length: 12 }, (_, failures) => {
    throttle.begin('ana', `10.0.0.${failures}`);
    const seconds = probe();
    // Not one millisecond earlier.
    time.nowMs += seconds * 1000 - 1;
    expect(probe()).toBe(1);
    time.nowMs += 1;
    return seconds;
  });
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
});

test('an address is slowed down over all accounts, a network of IPv6 like one address', () => {
  const { throttle } = throttleAt();
  for (let failures = 0; failures <= LIMITS.signInFreeFailuresByAddress; failures += 1) {
    throttle.begin(`account ${failures}`, `2001:db8:1:2::${failures}`);
  }
  expect(waitOf(() => throttle.begin('another', '2001:db8:1:2:ffff:1:2:3'))).toBe(1);
  expect(waitOf(() => throttle.begin('another', '2001:db8:1:3::1'))).toBe(0);
});

test('an own account does not help to guess at others from the same address', () => {
  const { time, throttle } = throttleAt();
  for (let failures = 0; failures < LIMITS.signInFreeFailuresByAddress; failures += 1) {
    throttle.begin(`account ${failures}`, '10.0.0.1');
    throttle.begin('own', '10.0.0.1').succeeded();
  }
  throttle.begin('one more', '10.0.0.1');
  expect(waitOf(() => throttle.begin('own', '10.0.0.1'))).toBe(1);
  time.nowMs += LIMITS.signInForgetMs;
  expect(waitOf(() => throttle.begin('own', '10.0.0.1'))).toBe(0);
});

test('success opens an account again', () => {
  const { time, throttle } = throttleAt();
  for (let failures = 0; failures <= LIMITS.signInFreeFailures; failures += 1) throttle.begin('ana', null);
  time.nowMs += 1000;
  throttle.begin('ana', null).succeeded();
  for (let failures = 0; failures < LIMITS.signInFreeFailures; failures += 1) throttle.begin('ana', null);
  expect(waitOf(() => throttle.begin('ana', null))).toBe(0);
});
