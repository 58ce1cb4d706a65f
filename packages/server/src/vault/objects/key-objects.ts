import { CofreError } from '@cofre/shared/errors';
import { decodeDomainObject, decodeKeyringObject } from '@cofre/shared/format/envelope/sealed-keys';
import { openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { LIMITS } from '@cofre/shared/limits';
import type { ObjectItem, ObjectKind } from '@cofre/shared/wire/trust';
import type { NewObject } from '../index/objects.store.ts';
import type { Caller } from '../vault.ts';
import type { VaultContext } from '../vault-context.ts';
import type { ObjectStore } from './object-store.ts';

/** Keyring objects and domain records: what devices seal to the recovery key and leave here. */
export class KeyObjects {
  private readonly vault: VaultContext;
  private readonly objects: ObjectStore;

  constructor(vault: VaultContext, objects: ObjectStore) {
    this.vault = vault;
    this.objects = objects;
  }

  /**
   * @throws CofreError `untrusted` when the caller's key did not sign it, `forbidden` when it is of another device,
   *   `already_exists` when there is another object of the same period or domain
   */
  async store(caller: Caller, kind: ObjectKind, object: Buffer): Promise<{ number: number }> {
    const key = this.keyOf(caller, kind, object);
    return this.vault.runWithSpace(object.length, () => this.storeNow(caller, kind, key, object));
  }

  private storeNow(
    caller: Caller,
    kind: ObjectKind,
    key: string,
    object: Buffer,
  ): Promise<{ number: number }> {
    return this.objects.exclusively(async () => {
      const known = await this.vault.index.call('findObject', { kind, key });
      if (known !== null) {
        if (Buffer.from(known.bytes).equals(object)) return { number: known.number };
        throw new CofreError('already_exists', { what: `the ${kind} object of ${key}` });
      }
      const content = { kind, key, deviceId: caller.deviceId, bytes: object };
      return this.objects.publish([content], async (published) => {
        const stored = published[0] as NewObject;
        const operation = kind === 'domain' ? 'recordDomain' : 'recordKeyring';
        await this.vault.index.call(operation, { object: stored });
        return { number: stored.number };
      });
    });
  }

  /** @throws CofreError `not_found`, also for what another device brought and the caller may not read */
  async read(caller: Caller, kind: ObjectKind, key: string): Promise<ObjectItem> {
    const row = await this.vault.index.call('findObject', { kind, key });
    if (row === null || (!caller.readsTenant && row.deviceId !== caller.deviceId)) {
      throw new CofreError('not_found', { what: `${kind} object` });
    }
    return { number: row.number, object: Buffer.from(row.bytes).toString('base64') };
  }

  private keyOf(caller: Caller, kind: ObjectKind, object: Buffer): string {
    if (object.length > LIMITS.objectBytesMax) {
      throw new CofreError('too_large', {
        what: `A ${kind} object`,
        limit: `${LIMITS.objectBytesMax} bytes`,
      });
    }
    const payload = openSignedObject(object, kind, Buffer.from(caller.signingKey, 'hex'));
    const { deviceId, key } = decodeKeyed(kind, payload);
    if (deviceId === caller.deviceId) return key;
    throw new CofreError('forbidden', { what: `store a ${kind} object of another device` });
  }
}

function decodeKeyed(kind: ObjectKind, payload: Buffer): { deviceId: string; key: string } {
  if (kind === 'domain') {
    const { deviceId, domainId } = decodeDomainObject(payload);
    return { deviceId, key: domainId };
  }
  const { deviceId, keyPeriodId } = decodeKeyringObject(payload);
  return { deviceId, key: keyPeriodId };
}
