// What `npm run demo` and `npm test` start: sets the checkout up where that is needed, then runs a script
// on the pinned Node. Plain JavaScript without imports of ours, because it runs before anything is installed,
// on whatever Node (20 or later) the machine has. It needs npm, no pnpm, no root.
//
//   node scripts/with-setup.mjs run SCRIPT.ts ARGS…   runs scripts/SCRIPT.ts
//   node scripts/with-setup.mjs test ARGS…            runs scripts/test.ts

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 20;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const OUTPUT_LINES_SHOWN = 20;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.cofre-setup');
const pinnedNode = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

// Each hint belongs to a cause that the output of npm or pnpm gives away.
const HINTS = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|META_FETCH_FAIL|ERR_SOCKET_TIMEOUT/,
    'The npm registry cannot be reached. Check the network (and the proxy or registry settings of npm: `npm ping`), then run the same command again.',
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY|CERT_HAS_EXPIRED/,
    'The certificate of the npm registry is not trusted here. Behind a company proxy, set NODE_EXTRA_CA_CERTS to its certificate.',
  ],
  [/ENOSPC/, 'The disk is full. The set-up needs about 1 GB, in this folder and in the home folder.'],
  [
    /EACCES|EPERM|EROFS/,
    'A folder cannot be written. This folder and the home folder must belong to the user who runs this.',
  ],
  [
    /OUTDATED_LOCKFILE|FROZEN_LOCKFILE/,
    'pnpm-lock.yaml does not fit the package.json files. Run `pnpm install` and commit the lockfile.',
  ],
];

class SetupError extends Error {}

function fail(message) {
  console.error(`cofre: ${message}`);
  process.exit(1);
}

function refuseOldNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= NODE_MAJOR_MIN) return;
  fail(
    `Node ${process.versions.node} is too old: version ${NODE_MAJOR_MIN} or later is needed to set up (Cofre then brings its own).`,
  );
}

function readManifest() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
}

// What an installation depends on. Contents, not times: a fresh clone or another branch changes times at random.
function setupFingerprint() {
  const hash = createHash('sha256');
  hash.update([process.platform, process.arch, root, readManifest().packageManager].join('\n'));
  for (const name of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, name)));
  return hash.digest('hex');
}

function isSetUp(fingerprint) {
  if (!existsSync(pinnedNode) || !existsSync(stampFile)) return false;
  return readFileSync(stampFile, 'utf8').trim() === fingerprint;
}

// npm names its own program in the environment of a script; started by hand, the one in PATH has to do.
function npmCommand() {
  const program = process.env.npm_execpath;
  if (program && /npm-cli\.c?js$/.test(program)) return { file: process.execPath, leading: [program] };
  return { file: 'npm', leading: [] };
}

function runPinnedPnpm(version, pnpmArguments) {
  const { file, leading } = npmCommand();
  const result = spawnSync(file, [...leading, 'exec', '--yes', `pnpm@${version}`, '--', ...pnpmArguments], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
    // A question on the terminal would wait for ever behind the captured output; CI=true makes both ask none.
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: 'true' },
    shell: process.platform === 'win32' && file === 'npm',
  });
  if (result.error && result.error.code === 'ENOENT') {
    throw new SetupError('npm was not found. It comes with Node; install it and run the same command again.');
  }
  if (result.error) throw new SetupError(`npm could not be started: ${result.error.message}`);
  return { exitCode: result.status, signal: result.signal, output: `${result.stdout}\n${result.stderr}` };
}

function explainFailure({ exitCode, signal, output }) {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const shown = lines.slice(-OUTPUT_LINES_SHOWN).map((line) => `  | ${line}`);
  const hint = HINTS.find(([pattern]) => pattern.test(output));
  const end = signal ? `was ended by ${signal}` : `failed with exit code ${exitCode}`;
  return [`the set-up ${end}:`, ...shown, ...(hint ? [hint[1]] : [])].join('\n');
}

function requirePinnedNodeToStart() {
  const result = spawnSync(pinnedNode, ['--version'], { encoding: 'utf8' });
  if (result.status === 0) return;
  const reason = result.error ? result.error.message : result.stderr.trim();
  throw new SetupError(
    `the pinned Node does not start on this machine (${process.platform} ${process.arch}): ${reason}`,
  );
}

function setUp(fingerprint) {
  const match = /^pnpm@([^+]+)/.exec(readManifest().packageManager ?? '');
  if (!match) throw new SetupError('package.json does not name its pnpm version (packageManager).');
  const startedAt = Date.now();
  console.error('cofre: setting up (the pinned Node, libraries and tools; a minute the first time) …');
  const result = runPinnedPnpm(match[1], ['install', '--frozen-lockfile']);
  if (result.exitCode !== 0) throw new SetupError(explainFailure(result));
  requirePinnedNodeToStart();
  writeFileSync(stampFile, `${fingerprint}\n`);
  console.error(`cofre: set up in ${Math.round((Date.now() - startedAt) / 1000)} s`);
}

// The child ends on its own terms, and this process ends the same way: by its exit code, or by its signal.
function runOnPinnedNode(script, scriptArguments) {
  const path = [join(modules, '.bin'), process.env.PATH ?? ''].join(delimiter);
  const child = spawn(pinnedNode, [script, ...scriptArguments], {
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole group: passing it on would interrupt the child twice.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  child.on('error', (error) => fail(`${pinnedNode} could not be started: ${error.message}`));
  child.on('exit', (exitCode, signal) => {
    if (!signal) process.exit(exitCode);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Only reached when the signal is one that does not end this process.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}

function wantedScript([mode, ...rest]) {
  if (mode === 'test') return { name: 'test.ts', scriptArguments: rest };
  if (mode === 'run' && rest.length > 0) return { name: rest[0], scriptArguments: rest.slice(1) };
  return fail('usage: with-setup.mjs run SCRIPT.ts [ARGUMENTS…] | with-setup.mjs test [ARGUMENTS…]');
}

refuseOldNode();
const { name, scriptArguments } = wantedScript(process.argv.slice(2));
const script = join(root, 'scripts', name);
if (!existsSync(script)) fail(`there is no scripts/${name}`);
try {
  const fingerprint = setupFingerprint();
  if (!isSetUp(fingerprint)) setUp(fingerprint);
} catch (error) {
  fail(error instanceof SetupError ? error.message : `the set-up failed: ${error.stack}`);
}
runOnPinnedNode(script, scriptArguments);
