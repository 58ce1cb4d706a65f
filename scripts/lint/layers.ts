/**
 * Who may import whom, and why. The linter enforces this table (`oxlint.config.ts`); what it cannot see, such as a way
 * round through a third file, `test/house` checks.
 *
 * In the server the order is: cli, http → administration, auth, tenancy, people, audit, vault, policy → stores (db, vault/index) → platform.
 */

/** Imports that a layer refuses: by `group` (patterns as in .gitignore) or by `regex`, with the reason. */
export type Ban = { group: string[]; message: string } | { regex: string; message: string };

export type Layer = { name: string; files: string[]; excludeFiles: string[]; bans: Ban[] };

const packageBans = {
  agent: banPackage('agent'),
  server: banPackage('server'),
  console: banPackage('console'),
};

/**
 * What the server may load of `shared`: paths below its src, folders with a slash. A list of what is allowed, so that
 * a new module is out until somebody has asked whether it opens anything.
 */
export const SHARED_FOR_SERVER = [
  'wire/',
  'format/envelope/',
  'encoding/',
  'errors/',
  'errors',
  'ids',
  'limits/',
  'limits',
  'bytes',
  'hash',
  'release-memory',
  'signature',
] as const;

const unsealing: Ban = {
  group: [
    '@cofre/shared/**',
    ...SHARED_FOR_SERVER.map((path) => `!@cofre/shared/${path}${path.endsWith('/') ? '**' : ''}`),
  ],
  message:
    'The server must not be able to open what it keeps: of shared it knows the wire, the envelopes and plain values, never keys, ciphers or what is sealed.',
};

const hono: Ban = {
  group: ['hono', 'hono/**', '@hono/**'],
  message:
    'Hono is known in app.ts, main.ts and http/ only: services speak of tenants and packs, not of requests.',
};

const sql: Ban = {
  group: ['better-sqlite3', 'drizzle-orm', 'drizzle-orm/**'],
  message:
    'SQL is known in db/ and vault/index/ only: a query without a tenant scope should be hard to write.',
};

const bree: Ban = {
  group: ['bree', 'croner'],
  message: 'Schedules are run in scheduling/ only: everything else is given its time.',
};

const composition: Ban = {
  regex: String.raw`^(\./|(\.\./)+)(main|app)\.ts$`,
  message: 'Only main builds concrete things: take what you need as a parameter.',
};

const outsideWorld: Ban = {
  regex: '^node:',
  message:
    'Policy is pure: it decides from what it is given, time included, and touches no file, clock or network.',
};

/** Refuses the server's own folders, however deep the importing file lies. */
function banServerFolders(folders: string[], reason: string): Ban {
  const names = folders.join('|');
  return { regex: String.raw`^((\.\./)+|@cofre/server/)(${names})/`, message: reason };
}

function banPackage(name: string): Ban {
  return {
    regex: String.raw`^(@cofre/${name}(/|$)|(\.\./)+(packages/)?${name}/src/)`,
    message: `Agent, server and console meet only through @cofre/shared/wire: nothing imports ${name} but itself, and shared imports none of them.`,
  };
}

const serverFolders = [
  'cli',
  'http',
  'administration',
  'auth',
  'tenancy',
  'people',
  'audit',
  'vault',
  'policy',
  'scheduling',
  'db',
  'platform',
] as const;
type ServerFolder = (typeof serverFolders)[number];

const callers: ServerFolder[] = ['cli', 'http', 'scheduling'];
const services: ServerFolder[] = ['administration', 'auth', 'tenancy', 'people', 'audit', 'vault'];
const callersReason =
  'Services do not know who calls them: cli, http and scheduling import them, never the other way.';

/** For each folder of the server, the folders that it must not know. */
const serverOrder: Record<ServerFolder, { unknown: ServerFolder[]; reason: string }> = {
  cli: {
    unknown: ['db'],
    reason: 'Commands call services, and services call stores: a command that queries has no tenant scope.',
  },
  http: {
    unknown: ['cli', 'db'],
    reason: 'Routes call services, and services call stores: a route that queries has no tenant scope.',
  },
  administration: { unknown: callers, reason: callersReason },
  auth: { unknown: callers, reason: callersReason },
  tenancy: { unknown: callers, reason: callersReason },
  people: { unknown: callers, reason: callersReason },
  audit: { unknown: callers, reason: callersReason },
  vault: { unknown: callers, reason: callersReason },
  policy: {
    unknown: [...callers, ...services, 'db', 'platform'],
    reason: 'Policy is pure: it is asked with everything that it needs to know, and answers with reasons.',
  },
  scheduling: {
    unknown: ['cli', 'http', 'db'],
    reason: 'Scheduling says when; the services that it calls say what.',
  },
  db: {
    unknown: [...callers, ...services, 'policy'],
    reason: 'Stores lie under the services: they import the platform alone.',
  },
  platform: {
    unknown: [...callers, ...services, 'policy', 'db'],
    reason: 'The platform lies under everything in the server, and imports nothing of it.',
  },
};

const everywhereInServer: Ban[] = [packageBans.agent, packageBans.console, unsealing];

function serverFolderLayer(folder: ServerFolder): Layer {
  const { unknown, reason } = serverOrder[folder];
  const bans = [...everywhereInServer, composition, banServerFolders(unknown, reason)];
  if (folder !== 'http') bans.push(hono);
  if (folder !== 'db') bans.push(sql);
  if (folder !== 'scheduling') bans.push(bree);
  if (folder === 'policy') bans.push(outsideWorld);
  return layer(`server ${folder}`, `packages/server/src/${folder}/**/*.ts`, bans);
}

function layer(name: string, files: string, bans: Ban[]): Layer {
  return { name, files: [files], excludeFiles: ['**/*.test.ts'], bans };
}

/**
 * From general to special: where two layers fit a file, the later one alone counts. Tests may reach for anything but
 * another package's inside.
 */
export const LAYERS: readonly Layer[] = [
  layer('shared', 'packages/shared/src/**/*.ts', [
    packageBans.agent,
    packageBans.server,
    packageBans.console,
  ]),
  layer('agent', 'packages/agent/src/**/*.ts', [packageBans.server, packageBans.console]),
  layer('console', 'packages/console/src/**/*.ts', [packageBans.server, packageBans.agent]),
  layer('server', 'packages/server/src/*.ts', [...everywhereInServer, sql, bree]),
  ...serverFolders.map(serverFolderLayer),
  layer('server index of the vault', 'packages/server/src/vault/index/**/*.ts', [
    ...everywhereInServer,
    composition,
    hono,
    bree,
    banServerFolders(
      [...callers, 'administration', 'auth', 'tenancy', 'policy'],
      'The index is a store: it lies under the services and imports the platform alone.',
    ),
  ]),
];
