import type { TreeMaker } from './tree-maker.ts';

const TARGET_BYTES_MAX = 4095;

/** Symbolic links with every kind of target; none of them is ever to be followed. */
export function makeSymbolicLinks(maker: TreeMaker): void {
  const targets: Record<string, string> = {
    relative: '../links/real',
    absolute: '/etc/hostname',
    dangling: 'nothing/here',
    'dangling-absolute': '/nonexistent/\xff/x',
    self: 'self',
    'loop-1': 'loop-2',
    'loop-2': 'loop-1',
    root: '/',
    dot: '.',
    'parent-folder': '..',
    upwards: '../../../../../../../../etc/passwd',
    'to-folder': 'folder',
    'to-folder-slash': 'folder/',
    slashes: '//folder///inside//',
    one: 'x',
    newline: 'a\nb',
    'raw-bytes': '\xff\xfe\x80caf\xe9',
    'every-byte': Array.from({ length: 255 }, (_, at) => String.fromCharCode(at + 1)).join(''),
    space: ' ',
    // File systems keep short targets elsewhere than long ones.
    'length-59': 't'.repeat(59),
    'length-60': 't'.repeat(60),
    'length-61': 't'.repeat(61),
  };
  maker.file('real', maker.random.text(100));
  maker.inFolder('folder', (inside) => inside.inFolder('inside', (below) => below.symlink('up', '../..')));
  for (const [name, target] of Object.entries(targets)) maker.symlink(name, target);
  maker.attempt(`symbolic link to a target of ${TARGET_BYTES_MAX} bytes`, () => {
    maker.symlink('longest', `${'l/'.repeat((TARGET_BYTES_MAX - 1) / 2)}l`);
  });
}

/** Groups of hard links: in one folder, across folders, long groups, and of everything but folders. */
export function makeHardLinks(maker: TreeMaker): void {
  maker.file('same-folder', maker.random.text(2_000));
  for (const name of ['same-folder-2', 'a-same-folder', 'z-same-folder'])
    maker.hardLink('same-folder', maker, name);
  maker.file('empty');
  maker.hardLink('empty', maker, 'empty-2');
  maker.sparseFile('sparse', 1 << 20, [{ offset: 500_000, bytes: maker.random.bytes(10) }]);
  maker.file('across', maker.random.bytes(3 << 20), { mode: 0o640 });
  // The first name in order of paths is deeper than the others, and in another folder than the first made.
  maker.inFolder('a', (inside) => {
    inside.inFolder('deep', (below) => {
      maker.hardLink('across', below, 'first-in-order');
      maker.hardLink('sparse', below, 'sparse');
    });
    maker.hardLink('across', inside, '\xff');
  });
  maker.inFolder('z', (inside) => maker.hardLink('across', inside, 'last'));
  maker.file('popular', maker.random.bytes(100));
  maker.inFolder('many-names', (inside) => {
    for (let number = 0; number < 200; number++) maker.hardLink('popular', inside, `name-${number}`);
  });
  // Same content, but no links of each other.
  for (const name of ['equal-1', 'equal-2']) {
    maker.file(name, Buffer.alloc(777, 'e'));
    maker.hardLink(name, maker, `${name}-link`);
  }
  makeHardLinkedSpecials(maker);
}

function makeHardLinkedSpecials(maker: TreeMaker): void {
  maker.symlink('symlink', 'dangling-\xff');
  maker.attempt('hard link of a symbolic link', () => maker.hardLink('symlink', maker, 'symlink-2'));
  maker.fifo('fifo');
  maker.attempt('hard link of a FIFO', () => maker.hardLink('fifo', maker, 'fifo-2'));
  maker.inFolder('specials', (inside) => {
    maker.attempt('hard link of a symbolic link', () => maker.hardLink('symlink', inside, 'symlink-3'));
    maker.attempt('hard link of a FIFO', () => maker.hardLink('fifo', inside, 'fifo-3'));
  });
}
