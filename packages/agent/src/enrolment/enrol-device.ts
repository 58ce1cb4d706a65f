import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CofreError, type Language } from '@cofre/shared/errors';
import { ageKeyPairFromSeed } from '@cofre/shared/crypto/age-identity';
import { authorityFingerprint, type RecoveryKey } from '@cofre/shared/crypto/recovery-key';
import { sha256 } from '@cofre/shared/hash';
import { signingKeyFromSeed } from '@cofre/shared/signature';
import type { EnrolResponse } from '@cofre/shared/wire/enrolment';
import { parseEnrolmentLine, type EnrolmentLine } from '@cofre/shared/wire/enrolment-line';
import { AGENT_VERSION } from '../client/agent-version.ts';
import type { ClientSettings, ServerClient } from '../client/server-client.ts';
import { makePrivateFolder, removeFile } from '../state/durable-file.ts';
import { readIdentity, writeIdentity, type StoredIdentity } from '../state/identity-file.ts';
import { lockState } from '../state/run-lock.ts';
import { proveDomain, storeDomain } from './domain-record.ts';
import { readKit } from './kit-file.ts';
import { makeKit } from './new-kit.ts';
import { beginEnrolment, endEnrolment, keepEnrolment, type PendingEnrolment } from './pending-enrolment.ts';
import { joinRoster } from './tenant-roster.ts';

export interface EnrolmentOrder {
  /** As somebody pasted it. */
  readonly line: string;
  readonly stateFolder: string;
  /** Absolute. Where the kit is made for the first computer of an account, and where it is for the others. */
  readonly kitFile: string;
  readonly deviceName: string;
  /** Of the kit. */
  readonly language: Language;
  readonly connect: (settings: ClientSettings) => ServerClient;
}

export interface EnrolmentResult {
  readonly identity: StoredIdentity;
  readonly fingerprint: string;
  /** Whether this was the first computer, and the kit was made. */
  readonly madeKit: boolean;
}

/**
 * Joins this computer to an account: keys of its own, the kit (made for the first computer, checked for the
 * others), its place on the roster, its domain. Nothing depends on the kit before it is on disk and tested; after
 * an interruption, the same line finishes the work.
 * @throws CofreError `enrolment_line_invalid`, `enrolment_code_…`, `already_enrolled`, `busy`, `kit_needed`,
 *   `kit_unreadable`, `wrong_key`, `untrusted`, `file_exists`, `file_unwritable`, and those of the client
 */
export async function enrolDevice(order: EnrolmentOrder): Promise<EnrolmentResult> {
  const line = parseEnrolmentLine(order.line);
  await makePrivateFolder(order.stateFolder);
  using _lock = lockState(order.stateFolder);
  if ((await readIdentity(order.stateFolder)) !== null) {
    throw new CofreError('already_enrolled', { folder: order.stateFolder });
  }
  await checkKitPlace(order.kitFile);
  const pending = await beginEnrolment(order.stateFolder, line.code);
  const enrolled = await askToEnrol(order, line, pending);
  const client = order.connect({
    address: line.address,
    certificatePin: line.certificatePin,
    credential: `${enrolled.deviceId}.${pending.secrets.credentialSecret.toString('base64url')}`,
  });
  try {
    return await join(order, line, pending, enrolled, client);
  } finally {
    await client.close();
  }
}

/** A kit that is none, and a place where none can be made, are found before the line is used. */
async function checkKitPlace(file: string): Promise<void> {
  if ((await readKit(file)) !== null) return;
  try {
    await access(dirname(file), constants.W_OK);
  } catch (cause) {
    const problem = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CofreError('file_unwritable', { file, problem }, { cause });
  }
}

/** The one call without a credential. */
async function askToEnrol(
  order: EnrolmentOrder,
  { address, certificatePin, code }: EnrolmentLine,
  { secrets }: PendingEnrolment,
): Promise<EnrolResponse> {
  const client = order.connect({ address, certificatePin, credential: null });
  try {
    return await client.enrol({
      code,
      name: order.deviceName,
      platform: `${process.platform} ${process.arch}`,
      agentVersion: AGENT_VERSION,
      signingKey: signingKeyFromSeed(secrets.signingSeed).publicKey.toString('hex'),
      inbox: (await ageKeyPairFromSeed(secrets.inboxSeed)).recipient,
      credentialHash: sha256(secrets.credentialSecret).toString('hex'),
    });
  } finally {
    await client.close();
  }
}

async function join(
  order: EnrolmentOrder,
  line: EnrolmentLine,
  pending: PendingEnrolment,
  enrolled: EnrolResponse,
  client: ServerClient,
): Promise<EnrolmentResult> {
  const { tenantId, tenantName, deviceId } = enrolled;
  const { secrets } = pending;
  const { key, madeKit } = await recoveryKey(order, line, pending, enrolled);
  const signingKey = signingKeyFromSeed(secrets.signingSeed);
  const device = {
    deviceId,
    signingKey: signingKey.publicKey.toString('hex'),
    inbox: (await ageKeyPairFromSeed(secrets.inboxSeed)).recipient,
    domainId: secrets.domain.domainId,
    isRevoked: false,
  };
  const roster = await joinRoster(client, key, tenantId, device).catch(async (error: unknown) => {
    if (madeKit) await dropLostKit(order, pending, key, client);
    throw error;
  });
  const owner = { deviceId, signingKey, domain: secrets.domain };
  await storeDomain(client, owner, roster.recipients);
  await proveDomain(client, owner, key);
  const identity: StoredIdentity = {
    address: line.address,
    certificatePin: line.certificatePin,
    tenantId,
    tenantName,
    deviceId,
    deviceName: order.deviceName,
    authorityKey: key.authority.publicKey.toString('hex'),
    secrets,
    kitFile: order.kitFile,
    enrolled: new Date().toISOString(),
  };
  await writeIdentity(order.stateFolder, identity);
  await endEnrolment(order.stateFolder);
  return { identity, fingerprint: authorityFingerprint(key.authority.publicKey), madeKit };
}

/** The account's key: from the kit that there is, or new with a kit that is made now. */
async function recoveryKey(
  order: EnrolmentOrder,
  line: EnrolmentLine,
  pending: PendingEnrolment,
  { hasAuthority, tenantName }: EnrolResponse,
): Promise<{ key: RecoveryKey; madeKit: boolean }> {
  const { kitFile: file, stateFolder, language } = order;
  if (!hasAuthority) {
    const key = await makeKit(pending, {
      stateFolder,
      file,
      language,
      tenantName,
      serverAddress: line.address,
    });
    return { key, madeKit: true };
  }
  const key = await readKit(file);
  if (key === null) throw new CofreError('kit_needed', { file });
  const madeKit = pending.kit?.authorityKey === key.authority.publicKey.toString('hex');
  return { key, madeKit };
}

/**
 * Two computers may both have been the first: the kit of the one that came second opens nothing and never will, so
 * it goes, and the other one is asked for.
 */
async function dropLostKit(
  { stateFolder, kitFile: file }: EnrolmentOrder,
  pending: PendingEnrolment,
  key: RecoveryKey,
  client: ServerClient,
): Promise<void> {
  const { authorityKey } = await client.trust();
  if (authorityKey === null || authorityKey === key.authority.publicKey.toString('hex')) return;
  await removeFile(file);
  await keepEnrolment(stateFolder, { ...pending, kit: null });
  throw new CofreError('kit_needed', { file });
}
