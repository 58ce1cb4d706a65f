import type { TreeMaker } from './tree-maker.ts';

/** Paths beyond the 4,096 bytes that the kernel takes in one call: few long names, and very many short ones. */
export function makeDeepPaths(maker: TreeMaker): void {
  const long = Array.from({ length: 30 }, (_, level) => `${level}-${'n'.repeat(200)}`);
  maker.inNestedFolders(long, fillBottom);
  maker.inNestedFolders(Array<string>(17).fill('\xfe'.repeat(255)), fillBottom);
  maker.inNestedFolders(Array<string>(2_200).fill('d'), (bottom) => {
    bottom.file('bottom', bottom.random.bytes(10));
  });
}

function fillBottom(bottom: TreeMaker): void {
  bottom.file('file', bottom.random.text(5_000), { mode: 0o600 });
  bottom.file('y'.repeat(255), bottom.random.bytes(100));
  bottom.symlink('link', 'file');
  bottom.fifo('fifo');
  bottom.hardLink('file', bottom, 'hard');
  bottom.inFolder('empty', undefined, { mode: 0o700 });
}
