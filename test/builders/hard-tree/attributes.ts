import { aclBytes } from './posix-acl.ts';
import type { MadeMetadata, TreeMaker } from './tree-maker.ts';

const ACCESS_ACL = 'system.posix_acl_access';
const DEFAULT_ACL = 'system.posix_acl_default';

/** Extended attributes: empty, binary, many, long names, large values, on folders and, as root, on everything. */
export function makeExtendedAttributes(maker: TreeMaker, asRoot: boolean): void {
  const { random } = maker;
  const isPossible = maker.attempt('extended attributes (user.*)', () => {
    maker.file('text', random.text(10), { xattrs: { 'user.comment': Buffer.from('hello') } });
  });
  if (!isPossible) return;
  const many = Array.from({ length: 20 }, (_, at) => [`user.number-${at}`, random.bytes(at * 5)] as const);
  const sets: Record<string, MadeMetadata['xattrs']> = {
    'empty-value': { 'user.empty': Buffer.alloc(0) },
    binary: { 'user.binary': Buffer.from([0, 255, 10, 0, 0x1b]) },
    'raw-name': { 'user.\xff\xfe\x01 \n': Buffer.from('x') },
    'long-name': { [`user.${'n'.repeat(250)}`]: Buffer.from('x') },
    many: Object.fromEntries(many),
    'proto-name': { 'user.__proto__': Buffer.from('x'), 'user.constructor': Buffer.from('y') },
  };
  for (const [name, xattrs = {}] of Object.entries(sets)) {
    maker.attempt(`extended attributes: ${name}`, () => maker.file(name, random.text(30), { xattrs }));
    maker.attempt(`extended attributes: ${name}, on a folder`, () => {
      maker.inFolder(`${name}-folder`, undefined, { xattrs });
    });
  }
  maker.file('read-only', random.text(5), { mode: 0o444, xattrs: { 'user.kept': Buffer.from('1') } });
  for (const size of [3_500, 60_000]) {
    maker.attempt(`an attribute of ${size} bytes`, () => {
      maker.file(`value-${size}`, random.text(5), { xattrs: { 'user.large': random.bytes(size) } });
    });
  }
  if (asRoot) makeTrustedAttributes(maker);
}

function makeTrustedAttributes(maker: TreeMaker): void {
  const xattrs = { 'trusted.cofre': Buffer.from('t\0t') };
  const capability = Buffer.from('0100000202000000000000000000000000000000', 'hex');
  maker.attempt('trusted.* attributes', () => {
    maker.file('trusted', maker.random.text(5), { xattrs });
    maker.symlink('trusted-link', 'nowhere', { xattrs });
    maker.fifo('trusted-fifo', { xattrs });
  });
  maker.attempt('security.capability', () => {
    maker.file('capable', maker.random.text(5), {
      mode: 0o755,
      xattrs: { 'security.capability': capability },
    });
    maker.file('capable-of-other', maker.random.text(5), {
      mode: 0o755,
      uid: 1_234,
      gid: 1_234,
      xattrs: { 'security.capability': capability },
    });
  });
}

/** POSIX ACLs: access and default ones, masks that differ from the group's rights, and what inherits them. */
export function makeAcls(maker: TreeMaker): void {
  const access = aclBytes({
    owner: 7,
    users: { 1234: 6 },
    group: 4,
    groups: { 5678: 5 },
    mask: 6,
    others: 0,
  });
  const masked = aclBytes({ owner: 6, users: { 1: 7, 70_000: 0 }, group: 7, groups: {}, mask: 0, others: 4 });
  const closedGroup = aclBytes({ owner: 7, users: { 1234: 7 }, group: 0, groups: {}, mask: 7, others: 0 });
  const isPossible = maker.attempt('POSIX ACLs', () => {
    maker.file('access', maker.random.text(5), { mode: 0o760, xattrs: { [ACCESS_ACL]: access } });
  });
  if (!isPossible) return;
  maker.file('masked', maker.random.text(5), { mode: 0o604, xattrs: { [ACCESS_ACL]: masked } });
  maker.file('closed-group', maker.random.text(5), { mode: 0o770, xattrs: { [ACCESS_ACL]: closedGroup } });
  maker.inFolder('folder', (inside) => inside.file('plain'), {
    mode: 0o760,
    xattrs: { [ACCESS_ACL]: access },
  });
  maker.inFolder('default', (inside) => inside.file('made-before', inside.random.text(5)), {
    xattrs: { [DEFAULT_ACL]: access },
  });
  maker.inFolder('both', undefined, {
    mode: 0o770,
    xattrs: { [ACCESS_ACL]: closedGroup, [DEFAULT_ACL]: masked },
  });
  maker.inFolder('inherited', (inside) => {
    inside.apply('.', { mode: 0o700, xattrs: { [DEFAULT_ACL]: access } });
    // What is made now gets ACLs of its own from the folder.
    inside.file('file', inside.random.text(5));
    inside.inFolder('folder', (below) => below.file('file', below.random.text(5)));
  });
}

/** Modes of files and folders, setuid, setgid and sticky bits; as root, owners with and without a name. */
export function makeModesAndOwners(maker: TreeMaker, asRoot: boolean, unreadable: boolean): void {
  const modes = [
    0o777, 0o755, 0o666, 0o640, 0o600, 0o444, 0o400, 0o4755, 0o2755, 0o6711, 0o1644, 0o7777, 0o4644,
  ];
  const closed = [0o000, 0o200, 0o111, 0o070, 0o007, 0o4000];
  for (const mode of unreadable ? [...modes, ...closed] : modes) {
    maker.file(`mode-${mode.toString(8)}`, maker.random.text(20), { mode });
  }
  const folderModes = [
    0o555,
    0o1777,
    0o2775,
    0o3770,
    0o500,
    ...(unreadable ? [0o000, 0o111, 0o444, 0o333, 0o200] : []),
  ];
  for (const mode of folderModes) {
    maker.inFolder(
      `folder-${mode.toString(8)}`,
      (inside) => {
        inside.file('inside', inside.random.text(20), { mode: mode & 0o777 });
        inside.inFolder('below', (below) => below.symlink('link', '../inside'), { mode });
      },
      { mode },
    );
  }
  if (asRoot) makeOwners(maker);
  else maker.notMade.push({ what: 'files of other owners', why: 'needs root' });
}

function makeOwners(maker: TreeMaker): void {
  const owners = [1, 1_000, 65_534, 65_535, 65_536, 100_000, 2 ** 31, 2 ** 32 - 2];
  for (const [at, uid] of owners.entries()) {
    const gid = owners[(at + 3) % owners.length] ?? 0;
    maker.attempt(`owner ${uid}`, () => {
      maker.file(`owner-${uid}`, maker.random.text(10), { uid, gid, mode: 0o6755 });
      maker.symlink(`owner-${uid}-link`, 'x', { uid, gid });
      maker.fifo(`owner-${uid}-fifo`, { uid, gid });
      maker.inFolder(`owner-${uid}-folder`, (inside) => inside.file('of-root'), { uid, gid, mode: 0o2750 });
    });
  }
}
