// Imported before anything else by whatever starts the agent. Plain JavaScript: it runs before the compile cache is in
// use.

// Threads of a run that moves much share one malloc arena: each other one of glibc's keeps what was freed in it, 20 MiB
// together. Node has threads, with arenas, before any of our code runs: only the environment comes before them. Words
// that are no text would not survive it.
const isHeavy = ['backup', 'restore'].includes(process.argv[2] ?? '');
const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
const isText = [...words, ...Object.values(process.env)].every((word) => !word?.includes('\uFFFD'));
if (process.platform === 'linux' && isHeavy && isText && process.env.MALLOC_ARENA_MAX === undefined) {
  process.execve?.(process.execPath, words, { ...process.env, MALLOC_ARENA_MAX: '1' });
}
