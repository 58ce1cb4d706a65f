import type { ServerClient } from '../client/server-client.ts';
import type { RunEnding } from './run-ending.ts';

/** What a run asks of the server. */
export type RunClient = Pick<
  ServerClient,
  | 'trust'
  | 'storeObject'
  | 'openSession'
  | 'renewSession'
  | 'closeSession'
  | 'have'
  | 'putPack'
  | 'stageRefs'
  | 'commit'
>;

/**
 * A client whose calls end with the attempt: a server that is away is waited for, but not by a run that was
 * interrupted or has failed. Only `closeSession` is let through then, for it cleans up behind the run.
 */
export function endingClient(client: RunClient, ending: RunEnding): RunClient {
  return {
    trust: async () => await ending.unlessEnded(client.trust()),
    storeObject: async (kind, object) => await ending.unlessEnded(client.storeObject(kind, object)),
    openSession: async (request) => await ending.unlessEnded(client.openSession(request)),
    renewSession: async (sessionId) => await ending.unlessEnded(client.renewSession(sessionId)),
    closeSession: async (sessionId) => await client.closeSession(sessionId),
    have: async (sessionId, ids, verifiedWithinMs) =>
      await ending.unlessEnded(client.have(sessionId, ids, verifiedWithinMs)),
    putPack: async (sessionId, operationId, parts) =>
      await ending.unlessEnded(client.putPack(sessionId, operationId, parts)),
    stageRefs: async (sessionId, part, mode, ids) =>
      await ending.unlessEnded(client.stageRefs(sessionId, part, mode, ids)),
    commit: async (sessionId, request) => await ending.unlessEnded(client.commit(sessionId, request)),
  };
}
