import { CofreError } from '@cofre/shared/errors';
import { decodeManifest } from '@cofre/shared/format/envelope/manifest';
import { decodeReceipt } from '@cofre/shared/format/envelope/receipt';
import { decodeRoster } from '@cofre/shared/format/envelope/roster';
import { decodeDomainObject, decodeKeyringObject } from '@cofre/shared/format/envelope/sealed-keys';
import {
  decodeSignedObject,
  openSignedObject,
  signerId,
  type SignedKind,
} from '@cofre/shared/format/envelope/signed-object';
import { PUBLIC_KEY_BYTES } from '@cofre/shared/signature';
import type { ObjectSummary } from '../index/objects.store.ts';
import { decodeRetentionSetting } from '../objects/retention-setting.ts';
import { planMending, readObject } from '../scrub/object-mending.ts';
import { decodeTenantDescription } from '../objects/tenant-description.ts';
import { decodeTombstone } from '../objects/tombstone.ts';

export interface ObjectProblem {
  readonly code: 'object_missing' | 'object_damaged';
  readonly detail: string;
  /** Whether what is right of it can be told, so that a scrub puts it in order. */
  readonly isMendable: boolean;
}

/** Compares objects in the store with their rows, and takes them apart as far as the server can. */
export class ObjectVerifier {
  private readonly keys: ReadonlyMap<string, Buffer>;

  /** @param publicKeys keys that may have signed, in hexadecimal */
  constructor(publicKeys: readonly string[]) {
    const keys = publicKeys.map((key) => Buffer.from(key, 'hex'));
    this.keys = new Map(keys.map((key) => [signerId(key), key]));
  }

  /** Null when all is well. */
  async verify(path: string, object: ObjectSummary): Promise<ObjectProblem | null> {
    const name = `object ${object.number}.${object.kind}`;
    const { bytes, isThere } = await readObject(path);
    const { action } = planMending(object, bytes, isThere);
    const isMendable = action !== 'impossible';
    if (!isThere) return { code: 'object_missing', detail: `${name} is not there`, isMendable };
    if (bytes === null || action !== 'none') {
      return { code: 'object_damaged', detail: `${name} is not what was stored`, isMendable };
    }
    try {
      this.takeApart(object, bytes);
      return null;
    } catch (error) {
      if (!(error instanceof CofreError)) throw error;
      return { code: 'object_damaged', detail: `${name}: ${error.message}`, isMendable: false };
    }
  }

  private takeApart(object: ObjectSummary, bytes: Buffer): void {
    switch (object.kind) {
      case 'manifest':
        return void decodeManifest(this.open(bytes, 'manifest'));
      case 'keyring':
        return void decodeKeyringObject(this.open(bytes, 'keyring'));
      case 'domain':
        return void decodeDomainObject(this.open(bytes, 'domain'));
      case 'roster':
        return void decodeRoster(this.open(bytes, 'roster'));
      case 'receipt':
        return void decodeReceipt(bytes);
      case 'description':
        return void decodeTenantDescription(bytes);
      case 'rule':
        return void decodeRetentionSetting(bytes);
      case 'tombstone':
        return void decodeTombstone(bytes);
      case 'authority':
        if (bytes.length !== PUBLIC_KEY_BYTES) {
          throw new CofreError('damaged', { what: 'The authority key', problem: 'it has the wrong length' });
        }
    }
  }

  /** A device that is in no roster any more can't be checked: its signature is the agents' to judge. */
  private open(bytes: Buffer, kind: SignedKind): Buffer {
    const { signer, payload } = decodeSignedObject(bytes, kind);
    const key = this.keys.get(signer);
    return key === undefined ? payload : openSignedObject(bytes, kind, key);
  }
}
