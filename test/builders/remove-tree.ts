import { spawnSync } from 'node:child_process';

/** Removes a tree whatever its names, depth and modes; `fs.rm` gives up at paths of 4,096 bytes. */
export function removeTree(root: string): void {
  if (process.getuid?.() !== 0) spawnSync('chmod', ['-R', 'u+rwX', '--', root], { stdio: 'ignore' });
  const run = spawnSync('rm', ['-rf', '--', root], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`cannot remove a test tree: ${run.stderr}`);
}
