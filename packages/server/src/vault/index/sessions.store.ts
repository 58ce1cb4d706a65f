import { CofreError } from '@cofre/shared/errors';
import { LIMITS } from '@cofre/shared/limits';
import type { IndexConnection } from './connection.ts';
import { findDamaged } from './damaged-chunks.store.ts';
import type { PackedIds } from './packed-ids.ts';

/** Who asks for what, and when: the same three for everything that happens in a session. */
export interface InSession {
  readonly sessionId: string;
  readonly deviceId: string;
  readonly nowMs: number;
}

export interface SessionRow {
  readonly session: number;
  readonly sessionId: string;
  readonly deviceId: string;
  readonly domain: number;
  readonly domainId: string;
  readonly setId: string;
  readonly generation: number;
  readonly openedMs: number;
  readonly leaseUntilMs: number;
  readonly isOpen: number;
}

const SESSION_QUERY = `
  SELECT session, session_id AS sessionId, sessions.device_id AS deviceId, sessions.domain AS domain,
    domain_id AS domainId, set_id AS setId, generation, opened_ms AS openedMs, lease_until_ms AS leaseUntilMs,
    is_open AS isOpen
  FROM sessions JOIN domains USING (domain)`;

/**
 * The authority's word counts at once: also for a session that is open, and for a grant that was shown before.
 * @throws CofreError `device_revoked` when the newest roster says so
 */
export function requireUnrevoked(index: IndexConnection, input: { deviceId: string }): void {
  if (findInRoster(index, input.deviceId)?.isRevoked === 1) throw new CofreError('device_revoked');
}

function findInRoster(index: IndexConnection, deviceId: string) {
  return index.get<{ domainId: string; isRevoked: number }>(
    'SELECT domain_id AS domainId, is_revoked AS isRevoked FROM roster_devices WHERE device_id = ?',
    deviceId,
  );
}

/**
 * The session, if it is this device's and alive.
 * @throws CofreError `not_found`, `session_expired`, `device_revoked`
 */
export function requireSession(index: IndexConnection, input: InSession): SessionRow {
  requireUnrevoked(index, input);
  const session = index.get<SessionRow>(
    `${SESSION_QUERY} WHERE session_id = ? AND sessions.device_id = ?`,
    input.sessionId,
    input.deviceId,
  );
  if (session === undefined) throw new CofreError('not_found', { what: 'session' });
  refuseExpired(session, input.nowMs);
  return session;
}

function refuseExpired(session: SessionRow, nowMs: number): void {
  const isAlive =
    session.isOpen === 1 &&
    nowMs <= session.leaseUntilMs &&
    nowMs < session.openedMs + LIMITS.sessionAgeMaxMs;
  if (!isAlive) throw new CofreError('session_expired', { session: session.sessionId });
}

export interface OpenedSession {
  readonly sessionId: string;
  readonly generation: number;
  readonly head: {
    readonly snapshotId: string;
    readonly sequence: number;
    readonly refsetCount: number;
    readonly refsetState: Uint8Array;
    /** Ids of what it needs and is damaged, as many as are named at once. */
    readonly damaged: PackedIds;
  } | null;
  readonly domainChunkCount: number;
}

/**
 * Opens a session that holds the head of its set, or gives the one that the same operation opened.
 * @throws CofreError `not_found` for a domain that is not this device's, `device_revoked`, `session_expired` when
 *   the operation's session has ended
 */
export function openSession(
  index: IndexConnection,
  input: InSession & { operationId: string; domainId: string; setId: string },
): OpenedSession {
  const domain = requireDomainOfDevice(index, input.deviceId, input.domainId);
  closeExpired(index, input.nowMs);
  const known = index.get<SessionRow>(
    `${SESSION_QUERY} WHERE sessions.device_id = ? AND operation_id = ?`,
    input.deviceId,
    input.operationId,
  );
  const head = findHead(index, input.deviceId, input.setId);
  if (known !== undefined) {
    refuseExpired(known, input.nowMs);
    if (known.domainId !== input.domainId || known.setId !== input.setId) {
      throw new CofreError('invalid_request', { problem: 'this operation opened another session' });
    }
    renewLease(index, known.session, input.nowMs);
  } else {
    requireFewSessions(index, input.deviceId);
    insertSession(index, input, domain.domain, head?.snapshotId ?? null);
  }
  const { generation } = index.get<{ generation: number }>('SELECT generation FROM vault') as {
    generation: number;
  };
  return {
    sessionId: known?.sessionId ?? input.sessionId,
    generation: known?.generation ?? generation,
    head,
    domainChunkCount: domain.chunkCount,
  };
}

/** Sessions of one device that may be open at once: each can hold a snapshot, and what it staged. */
export const SESSIONS_OPEN_MAX = 100;

function requireFewSessions(index: IndexConnection, deviceId: string): void {
  const { count } = index.get<{ count: number }>(
    'SELECT count(*) AS count FROM sessions WHERE device_id = ? AND is_open = 1',
    deviceId,
  ) as { count: number };
  if (count < SESSIONS_OPEN_MAX) return;
  throw new CofreError('unavailable', { problem: `this device has ${count} sessions open` });
}

function insertSession(
  index: IndexConnection,
  input: InSession & { operationId: string; setId: string },
  domain: number,
  heldSnapshot: string | null,
): void {
  index.run(
    `INSERT INTO sessions (session_id, device_id, operation_id, domain, set_id, generation, held_snapshot,
       opened_ms, lease_until_ms)
     VALUES (?, ?, ?, ?, ?, (SELECT generation FROM vault), ?, ?, ?)`,
    input.sessionId,
    input.deviceId,
    input.operationId,
    domain,
    input.setId,
    heldSnapshot,
    input.nowMs,
    input.nowMs + LIMITS.sessionLeaseMs,
  );
}

interface DomainRow {
  readonly domain: number;
  readonly deviceId: string;
  readonly chunkCount: number;
}

/**
 * A domain belongs to the device that the newest roster gives it to, and to the one that brought the domain's record.
 * @throws CofreError `not_found`, `device_revoked`
 */
export function requireDomainOfDevice(index: IndexConnection, deviceId: string, domainId: string): DomainRow {
  requireUnrevoked(index, { deviceId });
  const inRoster = findInRoster(index, deviceId);
  const domain = findDomain(index, domainId);
  if (domain === null || (inRoster?.domainId !== domainId && domain.deviceId !== deviceId)) {
    throw new CofreError('not_found', { what: 'domain' });
  }
  return domain;
}

/** A domain by its id, or null, whoever asks. */
export function findDomain(index: IndexConnection, domainId: string): DomainRow | null {
  return (
    index.get<DomainRow>(
      'SELECT domain, device_id AS deviceId, chunk_count AS chunkCount FROM domains WHERE domain_id = ?',
      domainId,
    ) ?? null
  );
}

function findHead(index: IndexConnection, deviceId: string, setId: string): OpenedSession['head'] {
  const head = index.get<Omit<NonNullable<OpenedSession['head']>, 'damaged'> & { chain: number }>(
    `SELECT chain, head_snapshot AS snapshotId, head_sequence AS sequence, refset_count AS refsetCount,
         refset_state AS refsetState
       FROM chains WHERE device_id = ? AND set_id = ?`,
    deviceId,
    setId,
  );
  if (head === undefined) return null;
  const { chain, ...known } = head;
  return { ...known, damaged: findDamaged(index, chain) };
}

/** How many sessions one step ends at most. */
const EXPIRED_STEP_MAX = 100;

/**
 * Ends some of the sessions whose lease ran out: they hold nothing any more.
 * @returns whether there may be more of them
 */
export function closeExpiredSessions(index: IndexConnection, input: { nowMs: number }): boolean {
  return closeExpired(index, input.nowMs) === EXPIRED_STEP_MAX;
}

/** Sessions whose lease ran out hold nothing any more, and what they staged is dropped. */
function closeExpired(index: IndexConnection, nowMs: number): number {
  const expired = index.all<{ session: number }>(
    'SELECT session FROM sessions WHERE is_open = 1 AND (lease_until_ms < ? OR opened_ms <= ?) LIMIT ?',
    nowMs,
    nowMs - LIMITS.sessionAgeMaxMs,
    EXPIRED_STEP_MAX,
  );
  for (const { session } of expired) endSession(index, session);
  // By then nobody repeats a call of one any more.
  index.run(
    'DELETE FROM sessions WHERE session IN (SELECT session FROM sessions WHERE is_open = 0 AND opened_ms < ? LIMIT 100)',
    nowMs - LIMITS.sessionRememberedMs,
  );
  return expired.length;
}

function endSession(index: IndexConnection, session: number): void {
  index.run('DELETE FROM staged_parts WHERE session = ?', session);
  index.run('UPDATE sessions SET is_open = 0, held_snapshot = NULL WHERE session = ?', session);
}

/** Lets the lease begin anew. @throws CofreError `not_found`, `session_expired` */
export function renewSession(index: IndexConnection, input: InSession): void {
  renewLease(index, requireSession(index, input).session, input.nowMs);
}

/** Lets the lease begin anew, for a session that was looked at already. */
export function renewLease(index: IndexConnection, session: number, nowMs: number): void {
  index.run(
    'UPDATE sessions SET lease_until_ms = ? WHERE session = ?',
    nowMs + LIMITS.sessionLeaseMs,
    session,
  );
}

/** Ends a session; one that has ended already is fine. */
export function closeSession(index: IndexConnection, input: InSession): void {
  const row = index.get<{ session: number }>(
    'SELECT session FROM sessions WHERE session_id = ? AND device_id = ?',
    input.sessionId,
    input.deviceId,
  );
  if (row === undefined) throw new CofreError('not_found', { what: 'session' });
  endSession(index, row.session);
}
