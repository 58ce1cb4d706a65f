import { sealWithAge } from '@cofre/shared/crypto/age-sealing';
import { domainKeys, type DomainKeys } from '@cofre/shared/crypto/domain-keys';
import {
  encodeKeyPeriod,
  newKeyPeriod,
  periodKeys,
  type KeyPeriod,
  type PeriodKeys,
} from '@cofre/shared/crypto/key-period';
import { encodeKeyringObject } from '@cofre/shared/format/envelope/sealed-keys';
import { encodeSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { newRandomId, type SessionId, type SetId } from '@cofre/shared/ids';
import type { Session } from '@cofre/shared/wire/sessions';
import type { AgentContext } from '../state/agent-context.ts';
import type { RunClient } from './run-client.ts';
import { fetchConfirmedRoster } from '../vault-reader/confirmed-roster.ts';

/** What a run has when it begins: a session on the server, and keys of its own. */
export interface OpenRun {
  readonly session: Session;
  readonly sessionId: SessionId;
  readonly setId: SetId;
  readonly domain: DomainKeys;
  readonly period: KeyPeriod;
  readonly periodKeys: PeriodKeys;
  /** Resolves when the period's secret, sealed to the recipients, is durable on the server. */
  readonly keyringStored: Promise<void>;
}

/**
 * Opens a session, and begins to store the keys of this run, which nothing may be sent before.
 * @param client its calls end with the attempt
 */
export async function openRun(context: AgentContext, client: RunClient, setName: string): Promise<OpenRun> {
  const { identity } = context;
  const domain = domainKeys(identity.domain);
  const setId = domain.setId(setName);
  const period = newKeyPeriod(identity.deviceId, domain.domainId);
  const keyringStored = storeKeyring(context, client, period);
  // Whoever needs it awaits it; until then a failure must not count as unhandled.
  keyringStored.catch(() => undefined);
  const session = await client.openSession({ operationId: newRandomId(), domainId: domain.domainId, setId });
  const sessionId = session.sessionId as SessionId;
  return { session, sessionId, setId, domain, period, periodKeys: periodKeys(period), keyringStored };
}

/** Content that was acknowledged before its key would be lost: so the key goes first. */
async function storeKeyring(context: AgentContext, client: RunClient, period: KeyPeriod): Promise<void> {
  const { identity } = context;
  const { roster } = await fetchConfirmedRoster(context);
  const sealed = await sealWithAge(encodeKeyPeriod(period), roster.recipients);
  const { keyPeriodId, deviceId, domainId } = period;
  const createdNs = BigInt(Date.now()) * 1_000_000n;
  const object = encodeKeyringObject({ keyPeriodId, deviceId, domainId, createdNs, sealed });
  await client.storeObject('keyring', encodeSignedObject('keyring', object, identity.signingKey));
}
