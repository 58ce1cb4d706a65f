import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newRandomId } from '@cofre/shared/ids';
import { expect } from 'vitest';
import { MemoryGroup } from '../../builders/memory-group.ts';
import { serveTenant, type ServedTenant } from '../../builders/served-tenant.ts';
import { startServerProcess, type ServerProcess } from '../../builders/server-process.ts';
import { sampleBlob, samplePack } from '../../builders/vault-samples.ts';

const MIB = 1024 ** 2;
const SERVER_BYTES = 512 * MIB;
/** Tenants that are made at once. */
const AT_ONCE = 8;
const BLOB_BYTES = 4 * MIB;

/**
 * A server that may take 512 MB keeps many tenants, each with a backup, and serves many agents at once, each of which
 * sends a large pack and reads it back. None of it makes the kernel end it.
 */
export async function expectLittleMemorySuffices(tenantCount: number, agentCount: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'cofre-little-memory-'));
  const group = new MemoryGroup(SERVER_BYTES);
  const words = ['--store', join(folder, 'store'), '--listen', '127.0.0.1:0'];
  let server: ServerProcess | null = null;
  try {
    server = await startServerProcess(join(folder, 'data'), words, {}, group.wrap);
    const tenants = await serveTenants(server, tenantCount);
    await Promise.all(tenants.slice(0, agentCount).map(sendAndRead));
    expect((await server.administration.statistics(null)).length).toBe(tenantCount);
    const { peakBytes } = group;
    const { status, signal } = await server.stop();
    expect([status, signal]).toEqual([0, null]);
    return peakBytes;
  } finally {
    await server?.stop('SIGKILL');
    group.remove();
    rmSync(folder, { recursive: true });
  }
}

async function serveTenants(server: ServerProcess, count: number): Promise<ServedTenant[]> {
  const tenants: ServedTenant[] = [];
  let next = 0;
  const serveSome = async (): Promise<void> => {
    while (next < count) tenants.push(await serveTenant(server, `tenant-${next++}`));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, serveSome));
  return tenants;
}

async function sendAndRead(tenant: ServedTenant): Promise<void> {
  const { device } = tenant;
  const session = `/v1/sessions/${await tenant.openSession()}`;
  const blob = sampleBlob(device, { sealedLength: BLOB_BYTES });
  const path = `${session}/packs/${newRandomId()}`;
  await tenant.askAndExpect({ method: 'PUT', path, body: samplePack([blob]) });
  const ids = Buffer.from(blob.chunkId, 'hex');
  const lacking = randomBytes(ids.length);
  const have = await tenant.askAndExpect({
    method: 'POST',
    path: `${session}/have`,
    body: Buffer.concat([ids, lacking]),
  });
  expect([...have.body]).toEqual([1, 0]);
  const read = await tenant.askAndExpect({
    method: 'POST',
    path: `/v1/domains/${device.domainId}/chunks/read`,
    body: ids,
  });
  expect(read.body.includes(blob.bytes)).toBe(true);
}
