import { IndexConnection } from '@cofre/server/vault/index/connection';

/**
 * What the index of a vault says, table by table, with the numbers of rows replaced by what they stand for: two indexes
 * of the same store say the same, whatever the order in which their rows were made.
 */
const QUERIES = {
  vault: `SELECT tenant_id, quota_bytes, used_bytes, object_bytes, lock_ms, soft_delete_ms, frozen_reason,
    authority_key, roster_version FROM vault`,
  objects: 'SELECT number, kind, key, device_id, hex(sha256), hex(bytes) FROM objects',
  rosterDevices: 'SELECT device_id, signing_key, domain_id, is_revoked FROM roster_devices',
  domains: 'SELECT domain_id, device_id, chunk_count FROM domains',
  packs: 'SELECT number, kind, length, hex(hash), blobs, device_id FROM packs',
  deadBytes: 'SELECT sum(dead_bytes), sum(duplicates) FROM packs',
  chunks: `SELECT domain_id, hex(chunk_id), length, type, state FROM chunks JOIN domains USING (domain)`,
  nodeTables: 'SELECT hex(chunk_id), hex(ids) FROM node_tables JOIN chunks USING (chunk)',
  chains: `SELECT chains.device_id, set_id, domain_id, head_snapshot, head_sequence, hex(refset_state), refset_count,
    head_bytes, past_bytes FROM chains JOIN domains USING (domain)`,
  snapshots: `SELECT number, snapshot_id, receipt, device_id, set_id, sequence, is_complete, received_ms,
    locked_until_ms, snapshots.refset_count, tombstone FROM snapshots JOIN chains USING (chain)`,
  snapshotRequires: 'SELECT number, required FROM snapshot_requires',
  headRefs: `SELECT chains.device_id, set_id, hex(chunk_id), from_sequence, parents FROM head_refs
    JOIN chains USING (chain) JOIN chunks USING (chunk)`,
  pastRefs: `SELECT chains.device_id, set_id, hex(chunk_id), from_sequence, to_sequence FROM past_refs
    JOIN chains USING (chain) JOIN chunks USING (chunk)`,
  // Of each snapshot whose content is there: however its rows lie over others whose content is not.
  needed: `SELECT snapshot_id, hex(chunk_id) FROM snapshots JOIN (
      SELECT chain, chunk, from_sequence AS first, 9007199254740991 AS after FROM head_refs
      UNION ALL SELECT chain, chunk, from_sequence, to_sequence FROM past_refs
    ) AS span ON snapshots.chain = span.chain AND sequence >= first AND sequence < after
    JOIN chunks USING (chunk) WHERE tombstone IS NULL`,
  looseChunks: 'SELECT hex(chunk_id) FROM loose_chunks JOIN chunks USING (chunk)',
  retentionSettings: 'SELECT device_id, set_id, object FROM retention_settings',
} as const;

export type IndexRows = Record<keyof typeof QUERIES, string[]>;

/** The rows of a closed index, each as text, in an order of their own. */
export function readIndexRows(file: string): IndexRows {
  const { database } = new IndexConnection(file);
  try {
    const rows = Object.entries(QUERIES).map(([name, sql]) => [
      name,
      database
        .prepare(sql)
        .raw()
        .all()
        .map((row) => JSON.stringify(row))
        .toSorted(),
    ]);
    return Object.fromEntries(rows) as IndexRows;
  } finally {
    database.close();
  }
}
