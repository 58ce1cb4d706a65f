import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { byteStringFromText } from '@cofre/shared/bytes';
import type { ByteString } from '@cofre/shared/bytes';
import { FolderHandle } from '../platform/folder-handle.ts';
import { FolderStack } from '../platform/folder-stack.ts';
import { makeFolderAt, makeNodeAt, makeSymlinkAt, openAt } from '../platform/posix.ts';
import { walk } from './walk.ts';
import type { WalkItem, WalkedEntry } from './walk-item.ts';
import type { WalkOptions } from './walk.ts';
import { lacks } from '../../../../test/requirements.ts';

const bytes = (text: string) => text as ByteString;
const cacheTag = 'Signature: 8a477f597d28d172789f06886806bc55\n# by test';

let base: ByteString;
beforeEach(() => {
  base = byteStringFromText(fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'cofre-walk-'))));
});
afterEach(() => {
  // Not fs.rmSync: it does not get through folders that are nested this deep.
  spawnSync('rm', ['-rf', base]);
});

function collect(roots: readonly string[], options: WalkOptions = {}): WalkItem[] {
  return [...walk(roots.map(bytes), options)].flat();
}

/** What lies below the test's folder: '' for the folder itself. Entries by path, others with what they are. */
function told(items: readonly WalkItem[], inside: string = base): string[] {
  const prefix = inside.slice(1);
  return items
    .filter((item) => item.path.startsWith(prefix))
    .map((item) => {
      const name = item.path.slice(prefix.length);
      if (item.kind === 'entry') return item.ancestor ? `${name} (ancestor)` : name;
      return item.kind === 'skipped' ? `${name} skipped: ${item.reason}` : problemText(item, name);
    });
}

function problemText(item: WalkItem & { kind: 'problem' }, name: string): string {
  return `${name} ${item.isRoot ? 'root ' : ''}${item.step}: ${item.code}`;
}

function entriesOf(items: readonly WalkItem[]): WalkedEntry[] {
  return items.filter((item) => item.kind === 'entry');
}

/** Makes files; a name that ends in a slash is a folder. */
function make(...names: string[]): void {
  for (const name of names) {
    const target = Buffer.from(`${base}/${name}`, 'latin1');
    if (name.endsWith('/')) fs.mkdirSync(target, { recursive: true });
    else fs.writeFileSync(target, name, 'latin1');
  }
}

/** The order that a catalog has, from its definition. */
function catalogKey(entryPath: ByteString): Buffer {
  if (entryPath === '') return Buffer.alloc(0);
  const parts = entryPath.split('/');
  const name = parts.pop()!;
  return Buffer.from(`${parts.map((part) => `${part}\0`).join('')}\0${name}`, 'latin1');
}

function expectCatalogOrder(items: readonly WalkItem[]): void {
  const keys = entriesOf(items).map((entry) => catalogKey(entry.path));
  for (let index = 1; index < keys.length; index++) {
    expect(Buffer.compare(keys[index - 1]!, keys[index]!)).toBe(-1);
  }
}

describe('order', () => {
  test('children come together in byte order, then what lies in each folder', () => {
    make('b/', 'b/x', 'b.txt', 'a/', 'a/z/', 'a/z/deep', 'a/y', 'B', 'é', 'a!', '\xff', '\x01');
    const items = collect([base]);
    expect(told(items)).toEqual([
      '',
      '/\x01',
      '/B',
      '/a',
      '/a!',
      '/b',
      '/b.txt',
      '/é',
      '/\xff',
      '/a/y',
      '/a/z',
      '/a/z/deep',
      '/b/x',
    ]);
    expectCatalogOrder(items);
  });

  test('folders above a root come first, each once, whatever the order and nesting of roots', () => {
    make('one/', 'one/two/', 'one/two/file', 'one/other', 'three/', 'three/file');
    const items = collect([
      `${base}/three`,
      `${base}/one/two`,
      `//${base}/one/./two//`,
      `${base}/one/two/file`,
    ]);
    expect(told(items)).toEqual([
      ' (ancestor)',
      '/one (ancestor)',
      '/three',
      '/one/two',
      '/one/two/file',
      '/three/file',
    ]);
    expect(items[0]).toMatchObject({ path: '', ancestor: true, status: { type: 'directory' } });
    expectCatalogOrder(items);
  });

  test('a real tree gives what node:fs gives, with the same status', () => {
    const items = collect(['/usr/share', '/usr/bin']);
    expectCatalogOrder(items);
    const walked = new Map(entriesOf(items).map((entry) => [entry.path, entry.status]));
    const refused: string[] = [];
    let counted = 0;
    const compare = (folder: string): void => {
      const names = namesIn(folder);
      if (names === undefined) refused.push(folder.slice(1));
      for (const name of names ?? []) {
        const child = `${folder}/${name}`;
        const stats = fs.lstatSync(Buffer.from(child, 'latin1'), { bigint: true });
        expect(walked.get(bytes(child.slice(1)))).toMatchObject({ inode: stats.ino, mtimeNs: stats.mtimeNs });
        counted++;
        if (stats.isDirectory()) compare(child);
      }
    };
    compare('/usr/share');
    compare('/usr/bin');
    expect(
      items
        .filter((item) => item.kind === 'problem')
        .map((item) => item.path)
        .sort(),
    ).toEqual(refused.sort());
    // The roots, and '' and usr.
    expect(walked.size).toBe(counted + 4);
  });
});

/** What node:fs lists; undefined for a folder that refuses. */
function namesIn(folder: string): string[] | undefined {
  try {
    return fs.readdirSync(Buffer.from(folder, 'latin1'), 'latin1');
  } catch {
    return undefined;
  }
}

describe('roots', () => {
  test('may be single files, and links, which are not followed', () => {
    make('folder/', 'folder/inside', 'file');
    fs.symlinkSync('folder', `${base}/link`);
    expect(told(collect([`${base}/link`, `${base}/file`, `${base}/link/`]))).toEqual([
      ' (ancestor)',
      '/file',
      '/link',
    ]);
  });

  test('that do not exist are named, and the others are walked', () => {
    make('file', 'here/', 'here/x');
    const roots = [`${base}/none/deep/a`, `${base}/none/deep/b`, `${base}/file/below`, `${base}/here`];
    const items = collect(roots);
    expect(told(items)).toEqual([
      ' (ancestor)',
      '/file/below root status: ENOTDIR',
      '/here',
      '/none/deep/a root status: ENOENT',
      '/none/deep/b root status: ENOENT',
      '/here/x',
    ]);
  });

  test('that are relative, or go up, are refused', () => {
    for (const root of ['relative', '', '/a/../b', '/a\0b']) {
      expect(() => collect([root])).toThrow(RangeError);
    }
  });

  test('reached through a link keep the path that the user gave', () => {
    make('real/', 'real/sub/', 'real/sub/file', 'real/not-asked');
    fs.symlinkSync('real', `${base}/link`);
    expect(told(collect([`${base}/link/sub`]))).toEqual([
      ' (ancestor)',
      '/link (ancestor)',
      '/link/sub',
      '/link/sub/file',
    ]);
  });

  test('behind a link that is itself walked are kept rather than the link', () => {
    make('all/', 'all/x', 'real/', 'real/sub/', 'real/sub/file');
    fs.symlinkSync('../real', `${base}/all/link`);
    fs.symlinkSync('../nothing', `${base}/all/dangling`);
    const items = collect([`${base}/all`, `${base}/all/link/sub`, `${base}/all/dangling/sub`]);
    expect(told(items, `${base}/all`)).toEqual([
      '',
      '/dangling',
      '/dangling/sub root status: ENOENT',
      '/link skipped: link-to-root',
      '/link (ancestor)',
      '/x',
      '/link/sub',
      '/link/sub/file',
    ]);
    expectCatalogOrder(items);
  });

  test('inside something excluded are walked, unless they are excluded themselves', () => {
    make('out/', 'out/in/', 'out/in/file', 'out/other', 'gone/', 'gone/file');
    const excluded = new Set([`${base}/out`, `${base}/gone`]);
    const isExcluded = (candidate: ByteString): boolean => excluded.has(`/${candidate}`);
    const items = collect([base, `${base}/out/in`, `${base}/gone`], { isExcluded });
    expect(told(items)).toEqual([
      '',
      '/gone skipped: excluded',
      '/out (ancestor)',
      '/out/in',
      '/out/in/file',
    ]);
  });
});

describe('what is left out', () => {
  test('excluded folders are not entered, and the predicate knows folders from files', () => {
    make('keep/', 'keep/x', 'drop/', 'drop/x', 'file');
    const asked: string[] = [];
    const isExcluded = (candidate: ByteString, isDirectory: boolean): boolean => {
      asked.push(`${candidate.slice(base.length - 1)}${isDirectory ? '/' : ''}`);
      return candidate.endsWith('/drop');
    };
    expect(told(collect([base], { isExcluded }))).toEqual(['', '/file', '/keep', '/keep/x']);
    expect(asked).toEqual(['/', '/drop/', '/file', '/keep/', '/keep/x']);
  });

  test('sockets are told and skipped, FIFOs are kept', () => {
    makeNodeAt(-100, bytes(`${base}/fifo`), 'fifo', 0o600);
    const python = spawnSync('python3', [
      '-c',
      'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])',
      `${base}/socket`,
    ]);
    expect(python.status).toBe(0);
    expect(told(collect([base]))).toEqual(['', '/fifo', '/socket skipped: socket']);
  });

  test('of a cache folder the folder and its tag are kept, if the tag has the signature', () => {
    make('cache/', 'cache/data', 'cache/sub/', 'cache/sub/x', 'fake/', 'fake/data', 'fake/CACHEDIR.TAG');
    make('fifo/', 'fifo/data');
    makeNodeAt(-100, bytes(`${base}/fifo/CACHEDIR.TAG`), 'fifo', 0o600);
    fs.writeFileSync(`${base}/cache/CACHEDIR.TAG`, cacheTag);
    expect(told(collect([base], { excludeCaches: true }))).toEqual([
      '',
      '/cache',
      '/fake',
      '/fifo',
      '/cache skipped: cache',
      '/cache/CACHEDIR.TAG',
      '/fake/CACHEDIR.TAG',
      '/fake/data',
      '/fifo/CACHEDIR.TAG',
      '/fifo/data',
    ]);
    expect(told(collect([base]))).toContain('/cache/sub/x');
  });

  test("the agent's own state is known by identity, under any name", () => {
    make('state/', 'state/x', 'real/', 'real/file', 'y');
    fs.renameSync(`${base}/state`, `${base}/real/renamed`);
    const ownPaths = [bytes(`${base}/real/renamed`), bytes(`${base}/none`)];
    expect(told(collect([base], { ownPaths }))).toEqual([
      '',
      '/real',
      '/y',
      '/real/file',
      '/real/renamed skipped: own-state',
    ]);
  });

  test.skipIf(lacks('root', 'mount', 'unshare'))(
    'other file systems are left out, unless they are roots',
    () => {
      make('plain/', 'mounted/', 'asked/');
      const script = `mount -t tmpfs none "$1/mounted" && mount -t tmpfs none "$1/asked" &&
      echo x > "$1/mounted/x" && mkdir "$1/asked/y" && echo z > "$1/asked/y/z" &&
      exec "$2" --input-type=module -e "
        import { walk } from '$3';
        const roots = ['$1', '$1/asked'];
        for (const items of walk(roots, { oneFileSystem: true }))
          for (const item of items) console.log(item.kind, item.path, item.reason);"`;
      const walkModule = new URL('./walk.ts', import.meta.url).pathname;
      const run = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', base, process.execPath, walkModule]);
      const prefix = base.slice(1);
      const lines = run.stdout.toString().trim().split('\n');
      expect(lines.filter((line) => line.includes(`${prefix}/`))).toEqual([
        `entry ${prefix}/asked undefined`,
        `entry ${prefix}/mounted undefined`,
        `skipped ${prefix}/mounted other-file-system`,
        `entry ${prefix}/plain undefined`,
        `entry ${prefix}/asked/y undefined`,
        `entry ${prefix}/asked/y/z undefined`,
      ]);
    },
  );
});

describe('trouble on the way', () => {
  test.skipIf(lacks('root', 'setpriv'))('folders that refuse are problems, and the walk goes on', () => {
    make('closed/', 'closed/x', 'names-only/', 'names-only/y', 'open/', 'open/z');
    fs.chmodSync(`${base}/closed`, 0o000);
    fs.chmodSync(`${base}/names-only`, 0o744);
    fs.chmodSync(base, 0o755);
    const walkModule = new URL('./walk.ts', import.meta.url).pathname;
    const script = `import { walk } from '${walkModule}';
      const items = [...walk(['${base}'])].flat().map(({ status, ...item }) => item);
      console.log(JSON.stringify(items));`;
    const ids = ['--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all'];
    const run = spawnSync('setpriv', [...ids, process.execPath, '--input-type=module', '-e', script]);
    expect(run.stderr.toString()).toBe('');
    expect(told(JSON.parse(run.stdout.toString()) as WalkItem[])).toEqual([
      '',
      '/closed',
      '/names-only',
      '/open',
      '/closed list: EACCES',
      '/names-only/y status: EACCES',
      '/open/z',
    ]);
  });

  test('what vanishes between list and look is not told, a folder that vanishes later is a problem', () => {
    make('a', 'b', 'c', 'folder/', 'folder/x');
    const isExcluded = (candidate: ByteString): boolean => {
      if (candidate.endsWith('/a')) fs.unlinkSync(`${base}/b`);
      if (candidate.endsWith('/folder')) fs.rmSync(`${base}/folder`, { recursive: true });
      return false;
    };
    expect(told(collect([base], { isExcluded }))).toEqual([
      '',
      '/a',
      '/c',
      '/folder',
      '/folder list: ENOENT',
    ]);
  });

  test('a folder that becomes a link meanwhile is not followed', () => {
    make('folder/', 'folder/x');
    const isExcluded = (candidate: ByteString): boolean => {
      if (candidate.endsWith('/folder')) {
        fs.rmSync(`${base}/folder`, { recursive: true });
        fs.symlinkSync('/etc', `${base}/folder`);
      }
      return false;
    };
    expect(told(collect([base], { isExcluded }))).toEqual(['', '/folder', '/folder list: ENOTDIR']);
  });
});

describe('extremes', () => {
  test('names of every byte and of 255 bytes, and links that dangle or loop', () => {
    const names = Array.from({ length: 255 }, (_, index) => String.fromCharCode(index + 1)).filter(
      (name) => name !== '/' && name !== '.',
    );
    const longest = '\xff'.repeat(255);
    using folder = FolderHandle.open(base);
    for (const name of [...names, longest]) makeSymlinkAt(folder.fd, bytes(name), bytes(name));
    expect(told(collect([base]))).toEqual(['', ...[...names, longest].map((name) => `/${name}`)]);
  });

  test('a path of over 7,000 bytes, and folders 700 deep', () => {
    using stack = new FolderStack(FolderHandle.open(base));
    const level = bytes('n'.repeat(10));
    for (let depth = 0; depth < 700; depth++) {
      makeFolderAt(stack.current.fd, level, 0o700);
      fs.closeSync(
        openAt(stack.current.fd, bytes('file'), fs.constants.O_CREAT | fs.constants.O_WRONLY, 0o600),
      );
      stack.enter(level);
    }
    const items = collect([base]);
    expect(items.filter((item) => item.kind !== 'entry')).toEqual([]);
    expect(entriesOf(items).length).toBe(1400 + base.split('/').length);
    expect(items.at(-1)!.path.length).toBeGreaterThan(7_000);
  });

  test('leaves no descriptor open, also when it is left half-way', () => {
    make('a/', 'a/b/', 'a/b/c');
    const before = fs.readdirSync('/proc/self/fd').length;
    collect([base]);
    for (const items of walk([bytes('/usr')])) {
      if (items.length > 0) break;
    }
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });
});
