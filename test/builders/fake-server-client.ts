import { CofreError } from '@cofre/shared/errors';
import { decodeReadGrant } from '@cofre/shared/format/envelope/read-grant';
import { openSignedObject } from '@cofre/shared/format/envelope/signed-object';
import type { ReceivedChunk, ServerClient } from '../../packages/agent/src/client/server-client.ts';
import type { AgentContext } from '../../packages/agent/src/state/agent-context.ts';
import type { FakeDevice, FakeVault } from './fake-vault.ts';

/** What a fake client was asked for. */
export interface FakeTraffic {
  readGrants: number;
  chunksSent: number;
}

/**
 * A device's client of a vault in memory, for everything that reads. As with the server, a device sees only
 * its own until it has sent a read grant.
 *
 * size: one short method for each call of the client; taken apart they would only be harder to find.
 */
export function fakeServerClient(
  vault: FakeVault,
  device: FakeDevice,
  traffic: FakeTraffic = { readGrants: 0, chunksSent: 0 },
): ServerClient {
  let readsTenant = false;
  const { deviceId, tenantId } = device.identity;
  const mayRead = (otherId: string): boolean => readsTenant || otherId === deviceId;
  const refuseWrites = (): never => {
    throw new CofreError('internal', { problem: 'this fake only reads' });
  };
  return {
    status: async () => ({
      tenantId,
      tenantName: device.identity.tenantName,
      deviceId,
      deviceName: device.name,
      isSuspended: false,
      quotaBytes: 1,
      usedBytes: 0,
      serverVersion: '0',
      serviceTime: '2026-01-02T00:00:00.000Z',
    }),
    trust: async () => vault.trust,
    sendReadGrant: async (grant) => {
      const payload = openSignedObject(grant, 'readGrant', vault.recoveryKey.authority.publicKey);
      const { deviceId: grantee, expiresNs } = decodeReadGrant(payload);
      readsTenant =
        grantee === deviceId && expiresNs > BigInt(Date.parse('2026-01-02T00:00:00Z')) * 1_000_000n;
      traffic.readGrants += 1;
    },
    readObject: async (kind, id) => {
      const object = vault.objects.get(`${kind} ${id}`);
      if (object === undefined) throw new CofreError('not_found', { what: `${kind} object` });
      return { number: 1, object: object.toString('base64') };
    },
    async *snapshots() {
      for (const item of vault.snapshots) if (mayRead(item.deviceId)) yield item;
    },
    devices: async () => {
      const devices = vault.devices.filter(({ identity }) => mayRead(identity.deviceId));
      return devices.map(({ identity, name }) => {
        return { deviceId: identity.deviceId, name, enrolled: '2026-01-01T00:00:00.000Z' };
      });
    },
    async *readChunks(domainId, ids) {
      // One buffer for all, as the real client does: whoever keeps a blob has to copy it.
      const shared = Buffer.alloc(6 * 1024 * 1024);
      for (const chunkId of ids) {
        const blob = vault.blobs.get(`${domainId} ${chunkId}`);
        traffic.chunksSent += 1;
        const status = blob === undefined ? 'missing' : blob === null ? 'damaged' : 'found';
        blob?.copy(shared);
        const received: ReceivedChunk = { chunkId, status, blob: shared.subarray(0, blob?.length ?? 0) };
        yield received;
        shared.fill(0);
      }
    },
    close: async () => {},
    enrol: refuseWrites,
    putTrust: refuseWrites,
    storeObject: refuseWrites,
    openSession: refuseWrites,
    renewSession: refuseWrites,
    closeSession: refuseWrites,
    have: refuseWrites,
    putPack: refuseWrites,
    stageRefs: refuseWrites,
    commit: refuseWrites,
  };
}

/** A context of a device on a fake vault; its state lies in `stateFolder`, which exists. */
export function fakeContext(
  vault: FakeVault,
  device: FakeDevice,
  stateFolder: string,
  traffic?: FakeTraffic,
): AgentContext {
  return {
    identity: device.identity,
    client: fakeServerClient(vault, device, traffic),
    stateFolder,
    cacheFolder: stateFolder,
  };
}
