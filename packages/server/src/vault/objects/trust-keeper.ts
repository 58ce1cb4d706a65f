import { CofreError } from '@cofre/shared/errors';
import { decodeReadGrant } from '@cofre/shared/format/envelope/read-grant';
import { decodeRoster, type Roster } from '@cofre/shared/format/envelope/roster';
import { openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { sha256 } from '@cofre/shared/hash';
import { LIMITS } from '@cofre/shared/limits';
import type { Trust } from '@cofre/shared/wire/trust';
import type { VaultRow } from '../index/vault.store.ts';
import type { Caller } from '../vault.ts';
import type { VaultContext } from '../vault-context.ts';
import type { ObjectContent, ObjectStore } from './object-store.ts';

/** The authority of a tenant and its rosters: set once, then followed step by step. */
export class TrustKeeper {
  private readonly vault: VaultContext;
  private readonly objects: ObjectStore;

  constructor(vault: VaultContext, objects: ObjectStore) {
    this.vault = vault;
    this.objects = objects;
  }

  async trust(): Promise<Trust> {
    const { authorityKey } = await this.describe();
    const roster = await this.newestRoster();
    return { authorityKey, roster: roster === null ? null : roster.toString('base64') };
  }

  /**
   * @throws CofreError `untrusted` when somebody else signed it, or another authority is in force; `roster_moved`
   *   when it does not follow the newest one
   */
  async putTrust(authorityKey: string, object: Buffer): Promise<void> {
    const roster = this.openRoster(authorityKey, object);
    await this.objects.exclusively(async () => {
      const known = await this.describe();
      if (known.authorityKey !== null && known.authorityKey !== authorityKey) {
        throw new CofreError('untrusted', { what: 'a roster', problem: 'another authority is in force' });
      }
      const newest = await this.newestRoster();
      if (newest?.equals(object) === true) return;
      const previous = newest === null ? null : sha256(newest).toString('hex');
      if (roster.version !== (known.rosterVersion ?? 0) + 1 || roster.previous !== previous) {
        throw new CofreError('roster_moved');
      }
      await this.publish(authorityKey, object, roster, known.authorityKey === null);
    });
  }

  /**
   * @returns until when the device may read the whole tenant, in service time
   * @throws CofreError `untrusted`, or `forbidden` when it is for somebody else or over
   */
  async checkReadGrant(caller: Caller, object: Buffer): Promise<{ expiresMs: number }> {
    const { authorityKey } = await this.describe();
    if (authorityKey === null) throw new CofreError('forbidden', { what: 'read without an authority' });
    const grant = decodeReadGrant(openSignedObject(object, 'readGrant', Buffer.from(authorityKey, 'hex')));
    if (grant.tenantId !== this.vault.tenantId || grant.deviceId !== caller.deviceId) {
      throw new CofreError('forbidden', { what: 'use a grant of another device' });
    }
    const nowMs = this.vault.nowMs();
    const expiresMs = Math.min(Number(grant.expiresNs / 1_000_000n), nowMs + LIMITS.readGrantLifetimeMs);
    if (expiresMs <= nowMs) throw new CofreError('forbidden', { what: 'use a grant that is over' });
    return { expiresMs };
  }

  private openRoster(authorityKey: string, object: Buffer): Roster {
    if (object.length > LIMITS.objectBytesMax) {
      throw new CofreError('too_large', { what: 'A roster', limit: `${LIMITS.objectBytesMax} bytes` });
    }
    const roster = decodeRoster(openSignedObject(object, 'roster', Buffer.from(authorityKey, 'hex')));
    if (roster.tenantId !== this.vault.tenantId) {
      throw new CofreError('untrusted', { what: 'a roster', problem: 'it is of another tenant' });
    }
    if (new Set(roster.devices.map(({ deviceId }) => deviceId)).size < roster.devices.length) {
      throw new CofreError('damaged', { what: 'A roster', problem: 'a device is in it twice' });
    }
    return roster;
  }

  private async publish(
    authorityKey: string,
    object: Buffer,
    roster: Roster,
    isFirst: boolean,
  ): Promise<void> {
    const contents: ObjectContent[] = [];
    if (isFirst) {
      const bytes = Buffer.from(authorityKey, 'hex');
      contents.push({ kind: 'authority', key: authorityKey, deviceId: null, bytes });
    }
    contents.push({ kind: 'roster', key: String(roster.version), deviceId: null, bytes: object });
    await this.objects.publish(contents, (objects) =>
      this.vault.index.call('recordRoster', {
        objects,
        authorityKey,
        version: roster.version,
        devices: roster.devices,
      }),
    );
  }

  private async describe(): Promise<VaultRow> {
    const vault = await this.vault.index.call('describeVault', undefined);
    if (vault === null) throw new CofreError('not_found', { what: 'vault' });
    return vault;
  }

  private async newestRoster(): Promise<Buffer | null> {
    const { rosterVersion } = await this.describe();
    if (rosterVersion === null) return null;
    const row = await this.vault.index.call('findObject', { kind: 'roster', key: String(rosterVersion) });
    return row === null ? null : Buffer.from(row.bytes);
  }
}
