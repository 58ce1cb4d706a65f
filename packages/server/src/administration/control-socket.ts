import { rm } from 'node:fs/promises';
import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/**
 * The socket over which the command line reaches a running server. Only the account that runs the server may use it.
 *
 * The kernel takes 107 bytes for the path of a socket (103 on macOS). A longer path is reached through the working
 * directory, for as long as the call takes: binding and connecting are synchronous in Node.
 */
const FILE = 'control.sock';
const PATH_BYTES_MAX = 103;
const OWNER_ONLY = 0o177;

/** Binds `server` to the socket of `dataFolder`. The caller holds the folder's lock, so what lies there is stale. */
export async function listenOnControlSocket(server: Server, dataFolder: string): Promise<void> {
  await rm(join(dataFolder, FILE), { force: true });
  const umask = process.umask(OWNER_ONLY);
  try {
    withSocketPath(dataFolder, (path) => server.listen(path));
  } finally {
    process.umask(umask);
  }
  if (!server.listening) await once(server, 'listening');
}

/** Takes the socket away once the server has closed. */
export async function removeControlSocket(dataFolder: string): Promise<void> {
  await rm(join(dataFolder, FILE), { force: true });
}

/** A connection to the running server, or null when none runs on `dataFolder`. */
export async function connectToControlSocket(dataFolder: string): Promise<Socket | null> {
  try {
    const socket = withSocketPath(dataFolder, (path) => connect({ path }));
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') return null;
    throw error;
  }
}

function withSocketPath<Result>(folder: string, use: (path: string) => Result): Result {
  const path = join(folder, FILE);
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX) return use(path);
  const before = process.cwd();
  process.chdir(folder);
  try {
    return use(FILE);
  } finally {
    process.chdir(before);
  }
}
