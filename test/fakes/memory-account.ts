import { CofreError } from '@cofre/shared/errors';
import { decodeRoster, type Roster } from '@cofre/shared/format/envelope/roster';
import { decodeDomainObject } from '@cofre/shared/format/envelope/sealed-keys';
import { decodeSignedObject, openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { sha256 } from '@cofre/shared/hash';
import { newRandomId, type DeviceId, type TenantId } from '@cofre/shared/ids';
import type { EnrolRequest, EnrolResponse } from '@cofre/shared/wire/enrolment';
import type { ObjectItem, PutTrustRequest, Trust } from '@cofre/shared/wire/trust';

/** The calls that enrolment makes, with a server's answers. */
export interface EnrolmentCalls {
  enrol(request: EnrolRequest): Promise<EnrolResponse>;
  trust(): Promise<Trust>;
  putTrust(request: PutTrustRequest): Promise<void>;
  storeObject(kind: string, object: Uint8Array): Promise<void>;
  readObject(kind: string, id: string): Promise<ObjectItem>;
  close(): Promise<void>;
}

/** What a server knows of one tenant as far as computers join it, in memory. */
export class MemoryAccount implements EnrolmentCalls {
  readonly tenantId = newRandomId<TenantId>();
  /** One-time codes, with the signing key that each is bound to. */
  readonly codes = new Map<string, { signingKey: string; deviceId: DeviceId } | null>();
  readonly requests: EnrolRequest[] = [];
  current: Trust = { authorityKey: null, roster: null };
  readonly domains = new Map<string, Buffer>();

  async enrol(request: EnrolRequest): Promise<EnrolResponse> {
    const bound = this.codes.get(request.code);
    if (bound === undefined) throw new CofreError('enrolment_code_unknown');
    if (bound !== null && bound.signingKey !== request.signingKey)
      throw new CofreError('enrolment_code_used');
    const device = bound ?? { signingKey: request.signingKey, deviceId: newRandomId<DeviceId>() };
    this.codes.set(request.code, device);
    this.requests.push(request);
    const hasAuthority = this.current.authorityKey !== null;
    return { tenantId: this.tenantId, tenantName: 'Zapatería', deviceId: device.deviceId, hasAuthority };
  }

  async trust(): Promise<Trust> {
    return this.current;
  }

  async putTrust({ authorityKey, roster }: PutTrustRequest): Promise<void> {
    if (this.current.authorityKey !== null && this.current.authorityKey !== authorityKey) {
      throw new CofreError('untrusted', { what: 'a roster', problem: 'another authority is in force' });
    }
    const { version, previous } = rosterIn(roster, authorityKey);
    const newest = this.current.roster === null ? null : Buffer.from(this.current.roster, 'base64');
    const hash = newest === null ? null : sha256(newest).toString('hex');
    if (version !== (this.roster()?.version ?? 0) + 1 || previous !== hash)
      throw new CofreError('roster_moved');
    this.current = { authorityKey, roster };
  }

  async storeObject(kind: string, object: Uint8Array): Promise<void> {
    if (kind !== 'domain') throw new CofreError('invalid_request', { problem: kind });
    const { domainId } = decodeDomainObject(decodeSignedObject(object, 'domain').payload);
    if (this.domains.has(domainId)) throw new CofreError('already_exists', { what: domainId });
    this.domains.set(domainId, Buffer.from(object));
  }

  async readObject(_kind: string, id: string): Promise<ObjectItem> {
    const object = this.domains.get(id);
    if (object === undefined) throw new CofreError('not_found', { what: id });
    return { number: 1, object: object.toString('base64') };
  }

  async close(): Promise<void> {}

  /** The newest roster, its signature checked. */
  roster(): Roster | null {
    const { authorityKey, roster } = this.current;
    return authorityKey === null || roster === null ? null : rosterIn(roster, authorityKey);
  }
}

function rosterIn(object: string, authorityKey: string): Roster {
  const bytes = Buffer.from(object, 'base64');
  return decodeRoster(openSignedObject(bytes, 'roster', Buffer.from(authorityKey, 'hex')));
}
