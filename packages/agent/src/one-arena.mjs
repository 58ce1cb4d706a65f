/**
 * Threads of a run that moves much share one malloc arena: each other one of glibc's keeps what was freed in it, 20 MiB
 * together. Node has threads, with arenas, before any of our code runs: only the environment comes before them, so that
 * the process begins anew with it, once. To be called before anything else by whatever starts the agent; plain
 * JavaScript, because it runs before the compile cache is in use.
 */
export function shareOneArena() {
  const isHeavy = ['backup', 'restore'].includes(process.argv[2] ?? '');
  if (process.platform !== 'linux' || !isHeavy || process.env.MALLOC_ARENA_MAX !== undefined) return;
  const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  // Words that are no text would not survive it.
  const isText = [...words, ...Object.values(process.env)].every((word) => !word?.includes('\uFFFD'));
  if (isText) process.execve?.(process.execPath, words, { ...process.env, MALLOC_ARENA_MAX: '1' });
}
