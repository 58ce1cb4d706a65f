import os from 'node:os';
import { LIMITS } from '@cofre/shared/limits';
import type { AgentContext } from '../../state/agent-context.ts';
import type { OpenRun } from '../open-run.ts';
import type { ChunkTable } from './chunk-table.ts';
import { Deduplicator } from './deduplicator.ts';
import { NodeSealer } from './node-sealer.ts';
import { PackSender } from './pack-sender.ts';
import { WorkerPool } from './worker-pool.ts';

/** From files to acknowledged packs: everything between the source and the server. */
export interface Pipeline {
  readonly deduplicator: Deduplicator;
  readonly sender: PackSender;
  readonly pool: WorkerPool;
  readonly sealer: NodeSealer;
}

export function buildPipeline(context: AgentContext, run: OpenRun, table: ChunkTable): Pipeline {
  const { client, identity } = context;
  const { session, sessionId, domain, period, periodKeys } = run;
  const askServer = async (ids: Uint8Array) => await client.have(sessionId, ids);
  const deduplicator = new Deduplicator(table, session.domainChunkCount === 0 ? null : askServer);
  const sender = new PackSender(client, sessionId, run.keyringStored);
  const setup = { domain: identity.domain, period };
  const workersMax = Math.min(os.availableParallelism(), LIMITS.agentWorkersMax);
  const pool = new WorkerPool(setup, workersMax, deduplicator, sender);
  const sealer = new NodeSealer({
    domain,
    period: periodKeys,
    table,
    deduplicator,
    sender,
  });
  return { deduplicator, sender, pool, sealer };
}

/** Resolves when everything that was cut is durable on the server. */
export async function settlePipeline(pipeline: Pipeline): Promise<void> {
  await pipeline.pool.flush();
  await pipeline.sender.settled();
}
