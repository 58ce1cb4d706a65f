import { randomBytes } from 'node:crypto';
import { encodeReadGrant } from '@cofre/shared/format/envelope/read-grant';
import { encodeSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { newRandomId, type SessionId } from '@cofre/shared/ids';
import { signingKeyFromSeed } from '@cofre/shared/signature';
import { ask, type HttpAnswer, type HttpQuestion } from './http-client.ts';
import { enrolDevice, type EnrolledDevice, type Reachable } from './served-app.ts';
import {
  ascendingIds,
  sampleBlob,
  sampleDevice,
  sampleDomainObject,
  sampleKeyringObject,
  samplePack,
  sampleRoster,
  sampleSnapshot,
  type SampleBlob,
  type SampleDevice,
  type SampleSnapshot,
} from './vault-samples.ts';

type Credentialed = (question: HttpQuestion) => Promise<HttpAnswer>;

/** A tenant with one device that has made one backup, all of it over HTTP. */
export class ServedTenant {
  readonly name: string;
  readonly device: SampleDevice;
  readonly enrolled: EnrolledDevice;
  readonly authority = signingKeyFromSeed(randomBytes(32));
  /** Content of the snapshot, and the node that refers to it. */
  readonly blob: SampleBlob;
  readonly root: SampleBlob;
  readonly snapshot: SampleSnapshot;
  readonly domainObject: Buffer;
  readonly keyringObject: Buffer;
  readonly roster: Buffer;
  /** Asks with the device's credential. */
  readonly ask: Credentialed;

  constructor(name: string, origin: string, device: SampleDevice, enrolled: EnrolledDevice) {
    this.name = name;
    this.device = device;
    this.enrolled = enrolled;
    this.blob = sampleBlob(device);
    this.root = sampleBlob(device, { type: 'catalog', table: [this.blob.chunkId] });
    this.snapshot = sampleSnapshot(device, [this.blob.chunkId, this.root.chunkId], this.root.chunkId);
    this.domainObject = sampleDomainObject(device);
    this.keyringObject = sampleKeyringObject(device, device.keyPeriodId);
    this.roster = sampleRoster(this.authority, device.tenantId, [device]);
    this.ask = (question) =>
      ask(origin, { ...question, headers: { ...enrolled.credential, ...question.headers } });
  }

  /** @throws Error when the server refuses */
  async askAndExpect(question: HttpQuestion): Promise<HttpAnswer> {
    const answer = await this.ask(question);
    if (answer.status < 300) return answer;
    throw new Error(`${question.method} ${question.path}: ${answer.status} ${answer.body.toString()}`);
  }

  async openSession(): Promise<SessionId> {
    const { domainId, setId } = this.device;
    const body = { operationId: newRandomId(), domainId, setId };
    const { json } = await this.askAndExpect({ method: 'POST', path: '/v1/sessions', body });
    return json?.['sessionId'] as SessionId;
  }

  /** Brings the trust, the sealed keys and one snapshot. */
  async backUp(): Promise<void> {
    const trust = {
      authorityKey: this.authority.publicKey.toString('hex'),
      roster: this.roster.toString('base64'),
    };
    await this.askAndExpect({ method: 'PUT', path: '/v1/trust', body: trust });
    await this.askAndExpect({ method: 'POST', path: '/v1/objects/domain', body: this.domainObject });
    await this.askAndExpect({ method: 'POST', path: '/v1/objects/keyring', body: this.keyringObject });
    const session = `/v1/sessions/${await this.openSession()}`;
    for (const pack of [samplePack([this.blob], 'content'), samplePack([this.root], 'catalog')]) {
      const path = `${session}/packs/${newRandomId()}`;
      await this.askAndExpect({ method: 'PUT', path, body: pack });
    }
    const refs = ascendingIds([this.blob.chunkId, this.root.chunkId]);
    await this.askAndExpect({ method: 'PUT', path: `${session}/refs/0?mode=add`, body: refs });
    const body = { manifest: this.snapshot.object.toString('base64'), refs: 'full' };
    await this.askAndExpect({ method: 'POST', path: `${session}/commit`, body });
  }

  /** A grant for the device, signed by the tenant's authority. */
  readGrant(expiresMs: number): Buffer {
    const { tenantId, deviceId } = this.device;
    const grant = { tenantId, deviceId, expiresNs: BigInt(expiresMs) * 1_000_000n };
    return encodeSignedObject('readGrant', encodeReadGrant(grant), this.authority);
  }
}

/** Makes the tenant and its backup on a served app with real vaults. */
export async function serveTenant(served: Reachable, name: string): Promise<ServedTenant> {
  await served.administration.createTenant({ name, modules: 2 });
  const key = signingKeyFromSeed(randomBytes(32));
  const signingKey = key.publicKey.toString('hex');
  const enrolled = await enrolDevice(served, name, { name: `device of ${name}`, signingKey });
  const { tenantId, deviceId } = enrolled;
  const caller = { deviceId, signingKey, readsTenant: false };
  const device = { ...sampleDevice(tenantId), deviceId, key, caller };
  const tenant = new ServedTenant(name, served.origin, device, enrolled);
  await tenant.backUp();
  return tenant;
}
