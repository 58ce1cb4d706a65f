import os from 'node:os';
import { LIMITS } from '@cofre/shared/limits';
import type { DeviceIdentity } from '../../state/agent-context.ts';
import type { OpenRun } from '../open-run.ts';
import type { RunClient } from '../run-client.ts';
import type { RunEnding } from '../run-ending.ts';
import type { ChunkTable } from './chunk-table.ts';
import { Deduplicator } from './deduplicator.ts';
import { NodeSealer } from './node-sealer.ts';
import { PackSender } from './pack-sender.ts';
import { startChunkThread, WorkerPool } from './worker-pool.ts';

/** From files to acknowledged packs: everything between the source and the server. */
export interface Pipeline {
  readonly deduplicator: Deduplicator;
  readonly sender: PackSender;
  readonly pool: WorkerPool;
  readonly sealer: NodeSealer;
}

export interface PipelineParts {
  readonly identity: DeviceIdentity;
  /** Its calls end with the attempt. */
  readonly client: RunClient;
  readonly run: OpenRun;
  readonly table: ChunkTable;
  readonly ending: RunEnding;
  /** Of a full run: the server is asked for what it has looked at on its disk since then. */
  readonly verifiedWithinMs: number | undefined;
}

/** Puts the parts of a run together. Threads start with the first job, so that a run without news has none. */
export function buildPipeline(parts: PipelineParts): Pipeline {
  const { identity, client, run, table, ending, verifiedWithinMs } = parts;
  const { session, sessionId, domain, period, periodKeys } = run;
  const askServer = async (ids: Uint8Array) => await client.have(sessionId, ids, verifiedWithinMs);
  const deduplicator = new Deduplicator(table, session.domainChunkCount === 0 ? null : askServer);
  const sender = new PackSender(client, sessionId, run.keyringStored, ending);
  const pool = new WorkerPool({
    setup: { domain: identity.domain, period },
    workersMax: Math.min(os.availableParallelism(), LIMITS.agentWorkersMax),
    deduplicator,
    sender,
    ending,
    startThread: startChunkThread,
  });
  const sealer = new NodeSealer({ domain, period: periodKeys, table, deduplicator, sender });
  return { deduplicator, sender, pool, sealer };
}

/** Resolves when everything that was cut is durable on the server. */
export async function settlePipeline(pipeline: Pipeline): Promise<void> {
  await pipeline.pool.flush();
  await pipeline.sender.settled();
}
