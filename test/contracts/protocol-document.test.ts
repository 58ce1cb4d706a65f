import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS } from '@cofre/shared/limits';
import { ERROR_CATALOGUE } from '@cofre/shared/errors/catalogue';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveApp, type ServedApp } from '../builders/served-app.ts';
import { MemoryVaults } from '../fakes/memory-vaults.ts';

const document = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'protocol.md'), 'utf8');
const described = [...document.matchAll(/^\| (GET|POST|PUT|DELETE) +\| `([^`]+)`/gm)].map(
  ([, method, path]) => `${method} ${path}`,
);

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly security?: unknown }>>>>;
}

let served: ServedApp;
let openToPeople: string[];
let routes: { readonly name: string; readonly isOpen: boolean }[];

beforeAll(async () => {
  served = await serveApp(new MemoryVaults());
  const answer = await fetch(`${served.origin}/openapi.json`);
  const { paths } = (await answer.json()) as OpenApi;
  openToPeople = Object.keys(paths).filter((path) =>
    Object.values(paths[path] ?? {}).some(({ security }) => Array.isArray(security) && security.length === 0),
  );
  routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => {
      return { name: `${method.toUpperCase()} ${path}`, isOpen: security === undefined };
    }),
  );
});
afterAll(() => served.close());

describe('the description of the protocol', () => {
  test('names every endpoint that there is, and no other', () => {
    const existing = [...routes.map(({ name }) => name), 'GET /openapi.json'];
    expect(described.toSorted()).toEqual(existing.toSorted());
  });

  test('names first those that want no credential', () => {
    const open = [...routes.filter(({ isOpen }) => isOpen).map(({ name }) => name), 'GET /openapi.json'];
    expect(described.slice(0, 4).toSorted()).toEqual(open.toSorted());
  });

  test('says which endpoints for people anybody may ask', () => {
    const said = [...document.matchAll(/^\| \w+ +\| `([^`]+)` +\| \(open\)/gm)].map(([, path]) => path ?? '');
    expect(said.toSorted()).toEqual(openToPeople.toSorted());
  });

  test('says the bounds that the code has', () => {
    const thousands = (value: number): string => value.toLocaleString('en-US');
    for (const said of [
      `up to ${thousands(LIMITS.haveIdsMax)} chunk ids → bytes: 1 or 0`,
      `up to ${thousands(LIMITS.refsPartIdsMax)} ids`,
      `up to ${thousands(LIMITS.readIdsMax)} chunk ids → bytes: frames`,
      `up to ${thousands(LIMITS.missingIdsReportedMax)} chunk ids`,
      `a lease (${LIMITS.sessionLeaseMs / 60_000} minutes`,
      `ends after ${LIMITS.sessionAgeMaxMs / 3_600_000} hours`,
    ]) {
      expect(document).toContain(said);
    }
  });

  test('names errors that exist', () => {
    const prose = document.replaceAll(/```[\s\S]*?```/g, '');
    const codes = [...prose.matchAll(/`([a-z]+_[a-z_]+)`/g)].map(([, code]) => code as string);
    expect(codes.length).toBeGreaterThan(8);
    expect(codes.filter((code) => !Object.hasOwn(ERROR_CATALOGUE, code))).toEqual([]);
  });
});
