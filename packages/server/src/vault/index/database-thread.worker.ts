import { parentPort } from 'node:worker_threads';
import { CofreError } from '@cofre/shared/errors';
import { IndexConnection } from './connection.ts';
import { readOperation, writeOperation } from './operations.ts';
import { hashIds } from './refset-states.ts';
import type { ThreadFailure, ThreadReply, ThreadRequest } from './thread-messages.ts';

/**
 * A database thread: the only one that ever opens the indexes of the tenants that are pinned to it. Calls that wait
 * together for one index are run together: reads first, then all writes in one transaction, so that many small
 * commits cost one sync of the log. Nothing is answered before its transaction is durable.
 */

type Call = Extract<ThreadRequest, { kind: 'call' }>;

/** Open indexes of a thread at most; the one unused for longest is closed first. */
const OPEN_INDEXES_MAX = 24;

const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread only');

const connections = new Map<string, IndexConnection>();
let waiting: ThreadRequest[] = [];

port.on('message', (request: ThreadRequest) => {
  waiting.push(request);
  // Not at once: whatever has arrived by the end of this turn joins the same transaction.
  if (waiting.length === 1) setImmediate(runWaiting);
});

function runWaiting(): void {
  const requests = waiting;
  waiting = [];
  const groups = new Map<string, Call[]>();
  for (const request of requests) {
    if (request.kind === 'call') {
      const group = groups.get(request.file);
      if (group === undefined) groups.set(request.file, [request]);
      else group.push(request);
    } else if (request.kind === 'hash') {
      answer(request.id, () => hashIds(request));
    }
  }
  for (const [file, calls] of groups) runGroup(file, calls);
  for (const request of requests) {
    if (request.kind === 'close') answer(request.id, closeAll);
  }
}

function runGroup(file: string, calls: Call[]): void {
  let connection: IndexConnection;
  try {
    connection = connect(file);
  } catch (error) {
    for (const { id } of calls) reply({ id, failure: describeFailure(error) });
    return;
  }
  const writes: Call[] = [];
  for (const call of calls) {
    const read = readOperation(call.name);
    if (read === undefined) writes.push(call);
    else answer(call.id, () => read(connection, call.input));
  }
  if (writes.length > 0) runWrites(connection, writes);
}

/** One transaction for all; each write in a savepoint of its own, so that one that is refused undoes only itself. */
function runWrites(connection: IndexConnection, writes: readonly Call[]): void {
  const { database } = connection;
  const runOne = database.transaction((write: Call): unknown => {
    const operation = writeOperation(write.name);
    if (operation === undefined) throw new Error(`no operation ${write.name}`);
    return operation(connection, write.input);
  });
  const runAll = database.transaction((): ThreadReply[] =>
    writes.map((write) => {
      try {
        return { id: write.id, output: runOne(write) };
      } catch (error) {
        // Some failures (a full disk, a failed read) end the whole transaction: then nobody's write has happened.
        if (!database.inTransaction) throw error;
        return { id: write.id, failure: describeFailure(error) };
      }
    }),
  );
  let replies: ThreadReply[];
  try {
    replies = runAll.immediate();
  } catch (error) {
    const failure = describeFailure(error);
    replies = writes.map(({ id }) => ({ id, failure }));
  }
  replies.forEach(reply);
}

function connect(file: string): IndexConnection {
  const known = connections.get(file);
  if (known !== undefined) {
    connections.delete(file);
    connections.set(file, known);
    return known;
  }
  for (const [oldest, connection] of connections) {
    if (connections.size < OPEN_INDEXES_MAX) break;
    if (connection.drafts.size > 0) continue;
    connections.delete(oldest);
    connection.close();
  }
  const opened = new IndexConnection(file);
  connections.set(file, opened);
  return opened;
}

function closeAll(): void {
  for (const connection of connections.values()) connection.close();
  connections.clear();
}

function answer(id: number, run: () => unknown): void {
  try {
    reply({ id, output: run() });
  } catch (error) {
    reply({ id, failure: describeFailure(error) });
  }
}

function reply(message: ThreadReply): void {
  port?.postMessage(message);
}

function describeFailure(error: unknown): ThreadFailure {
  if (error instanceof CofreError) {
    return { kind: 'refused', code: error.code, parameters: error.parameters };
  }
  const message = error instanceof Error ? error.message : String(error);
  const code: unknown = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  if (typeof code === 'string' && code.startsWith('SQLITE_')) return { kind: 'sqlite', code, message };
  return { kind: 'other', message };
}
