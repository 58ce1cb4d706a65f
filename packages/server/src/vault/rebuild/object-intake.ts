import { CofreError } from '@cofre/shared/errors';
import { decodeManifest, snapshotIdOf } from '@cofre/shared/format/envelope/manifest';
import { decodeReceipt } from '@cofre/shared/format/envelope/receipt';
import { decodeRoster } from '@cofre/shared/format/envelope/roster';
import { decodeDomainObject, decodeKeyringObject } from '@cofre/shared/format/envelope/sealed-keys';
import {
  decodeSignedObject,
  openSignedObject,
  signerId,
  type SignedKind,
} from '@cofre/shared/format/envelope/signed-object';
import { sha256 } from '@cofre/shared/hash';
import { PUBLIC_KEY_BYTES } from '@cofre/shared/signature';
import type { IndexConnection } from '../index/connection.ts';
import {
  findDomainRow,
  insertDomain,
  insertStoredObject,
  setCreated,
  setDescribed,
  setRule,
  setTrust,
} from '../index/rebuild.store.ts';
import type { StoredKind } from '../layout.ts';
import { decodeRetentionSetting } from '../objects/retention-setting.ts';
import { decodeTombstone } from '../objects/tombstone.ts';
import { decodeTenantDescription, type TenantDescription } from '../objects/tenant-description.ts';
import type { FoundManifest, FoundReceipt, FoundTombstone } from './found-snapshots.ts';

/** An object of the store as its file has it. */
export interface StoredObject {
  readonly number: number;
  readonly kind: StoredKind;
  readonly bytes: Buffer;
}

const NS_PER_MS = 1_000_000n;

/**
 * Makes the rows of objects, in the order of their numbers: what came later counts, as it did when it was stored.
 * Manifests and receipts are kept for who makes snapshots of them.
 */
export class ObjectIntake {
  readonly manifests: FoundManifest[] = [];
  readonly receipts = new Map<string, FoundReceipt>();
  readonly tombstones = new Map<string, FoundTombstone>();
  description: TenantDescription | null = null;
  firstDescribedMs: number | null = null;
  private readonly index: IndexConnection;
  private readonly keys = new Map<string, Buffer>();
  private authority: Buffer | null = null;
  private lastDescription = 0;
  private lastRule = 0;

  constructor(index: IndexConnection) {
    this.index = index;
  }

  /**
   * @returns false for a second one of what there may be one of only
   * @throws CofreError `damaged`, `untrusted`, `unknown_format`: then it has no row
   */
  take(object: StoredObject): boolean {
    const takers: Record<StoredKind, (given: StoredObject) => boolean> = {
      authority: (given) => this.takeAuthority(given),
      description: (given) => this.takeDescription(given),
      roster: (given) => this.takeRoster(given),
      domain: (given) => this.takeDomain(given),
      keyring: (given) => this.takeKeyring(given),
      manifest: (given) => this.takeManifest(given),
      receipt: (given) => this.takeReceipt(given),
      rule: (given) => this.takeRule(given),
      tombstone: (given) => this.takeTombstone(given),
    };
    return takers[object.kind](object);
  }

  private takeAuthority(object: StoredObject): boolean {
    if (object.bytes.length !== PUBLIC_KEY_BYTES) {
      throw new CofreError('damaged', { what: 'The authority key', problem: 'it has the wrong length' });
    }
    this.authority ??= object.bytes;
    const authorityKey = object.bytes.toString('hex');
    setTrust(this.index, { authorityKey, version: null, devices: [] });
    return this.insert(object, authorityKey, null);
  }

  private takeDescription(object: StoredObject): boolean {
    const description = decodeTenantDescription(object.bytes);
    const describedMs = Number(description.describedNs / NS_PER_MS);
    if (this.description === null) {
      this.firstDescribedMs = describedMs;
      setCreated(this.index, describedMs);
    }
    this.description = description;
    setDescribed(this.index, description);
    const key = String(this.lastDescription + 1);
    this.lastDescription = object.number;
    return this.insert(object, key, null);
  }

  private takeRoster(object: StoredObject): boolean {
    if (this.authority === null) {
      throw new CofreError('damaged', { what: 'A roster', problem: 'the authority key is not there' });
    }
    const roster = decodeRoster(openSignedObject(object.bytes, 'roster', this.authority));
    for (const { signingKey } of roster.devices) {
      const key = Buffer.from(signingKey, 'hex');
      this.keys.set(signerId(key), key);
    }
    if (!this.insert(object, String(roster.version), null)) return false;
    const authorityKey = this.authority.toString('hex');
    setTrust(this.index, { authorityKey, version: roster.version, devices: roster.devices });
    return true;
  }

  private takeDomain(object: StoredObject): boolean {
    const { domainId, deviceId } = decodeDomainObject(this.open(object, 'domain'));
    if (!this.insert(object, domainId, deviceId)) return false;
    if (findDomainRow(this.index, domainId) === null) insertDomain(this.index, { domainId, deviceId });
    return true;
  }

  private takeKeyring(object: StoredObject): boolean {
    const { keyPeriodId, deviceId } = decodeKeyringObject(this.open(object, 'keyring'));
    return this.insert(object, keyPeriodId, deviceId);
  }

  private takeManifest(object: StoredObject): boolean {
    const manifest = decodeManifest(this.open(object, 'manifest'));
    const snapshotId = snapshotIdOf(object.bytes);
    if (!this.insert(object, snapshotId, manifest.deviceId)) return false;
    const { deviceId, setId, domainId, sequence, previous, isComplete, catalogRoot, refset, requires } =
      manifest;
    this.manifests.push({
      number: object.number,
      snapshotId,
      deviceId,
      setId,
      domainId,
      sequence,
      previous,
      isComplete,
      catalogRoot,
      refset,
      requires,
    });
    return true;
  }

  private takeReceipt(object: StoredObject): boolean {
    const { snapshotId, receivedNs, lockedUntilNs } = decodeReceipt(object.bytes);
    const manifest = this.manifests.at(-1);
    // A receipt follows its manifest; whose it is stands there alone.
    const deviceId = manifest?.snapshotId === snapshotId ? manifest.deviceId : null;
    if (!this.insert(object, snapshotId, deviceId)) return false;
    this.receipts.set(snapshotId, {
      number: object.number,
      receivedMs: Number(receivedNs / NS_PER_MS),
      lockedUntilMs: Number(lockedUntilNs / NS_PER_MS),
    });
    return true;
  }

  private takeRule(object: StoredObject): boolean {
    const { target } = decodeRetentionSetting(object.bytes);
    const key = String(this.lastRule + 1);
    this.lastRule = object.number;
    if (!this.insert(object, key, null)) return false;
    setRule(this.index, {
      deviceId: target?.deviceId ?? '',
      setId: target?.setId ?? '',
      object: object.number,
    });
    return true;
  }

  private takeTombstone(object: StoredObject): boolean {
    const { snapshotId, deletedNs, droppedNs, reason } = decodeTombstone(object.bytes);
    if (!this.insert(object, snapshotId, null)) return false;
    this.tombstones.set(snapshotId, {
      number: object.number,
      deletedMs: Number(deletedNs / NS_PER_MS),
      droppedMs: Number(droppedNs / NS_PER_MS),
      reason,
    });
    return true;
  }

  private insert({ number, kind, bytes }: StoredObject, key: string, deviceId: string | null): boolean {
    return insertStoredObject(this.index, { number, kind, key, deviceId, sha256: sha256(bytes), bytes });
  }

  /** A device that no roster names can't be checked: its signature is the agents' to judge. */
  private open({ bytes }: StoredObject, kind: SignedKind): Buffer {
    const { signer, payload } = decodeSignedObject(bytes, kind);
    const key = this.keys.get(signer);
    return key === undefined ? payload : openSignedObject(bytes, kind, key);
  }
}
