/**
 * The index of one vault. Each entry brings a database from the version of its place to the next one; entries
 * are added, never changed.
 *
 * Chunk ids are BLOBs of 32 bytes; all other ids are hexadecimal text. Times are service time in milliseconds.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE vault (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    tenant_id TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    quota_bytes INTEGER NOT NULL DEFAULT 0,
    -- Stored length of all chunks in the table; dead bytes in packs are not the tenant's.
    used_bytes INTEGER NOT NULL DEFAULT 0,
    -- Length of the objects that devices brought: manifests with their receipts, keyrings, domain records.
    object_bytes INTEGER NOT NULL DEFAULT 0,
    -- Collections so far; a session remembers it.
    generation INTEGER NOT NULL DEFAULT 0,
    -- How long a new snapshot is locked, and how long a deleted one can be brought back.
    lock_ms INTEGER NOT NULL,
    soft_delete_ms INTEGER NOT NULL,
    -- Why nothing may be written or collected; null in ordinary life.
    frozen_reason TEXT,
    -- Grows whenever a chunk may have stopped being live: what was checked before has to be checked again.
    liveness_epoch INTEGER NOT NULL DEFAULT 0,
    -- Numbers are taken from here before they are used, and never twice.
    next_pack INTEGER NOT NULL DEFAULT 1,
    next_object INTEGER NOT NULL DEFAULT 1,
    authority_key TEXT,
    roster_version INTEGER,
    -- When the scrub last took its share of the packs, and when this database was last checked.
    scrubbed_ms INTEGER,
    index_checked_ms INTEGER
  ) STRICT;

  -- A file that is about to get this name: if nothing else knows it after a crash, it is removed.
  CREATE TABLE intents (
    path TEXT PRIMARY KEY,
    reserved_bytes INTEGER NOT NULL,
    since_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- A file that is about to be unlinked: committed before the unlink, removed after it is durable.
  CREATE TABLE doomed (path TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

  CREATE TABLE objects (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    -- What it is of: key period, domain, snapshot, version.
    key TEXT NOT NULL,
    device_id TEXT,
    sha256 BLOB NOT NULL,
    bytes BLOB NOT NULL,
    -- When its file was last read and compared.
    last_verified_ms INTEGER,
    UNIQUE (kind, key)
  ) STRICT;
  CREATE INDEX objects_by_verified ON objects (coalesce(last_verified_ms, 0));

  CREATE TABLE roster_devices (
    device_id TEXT PRIMARY KEY,
    signing_key TEXT NOT NULL,
    domain_id TEXT NOT NULL,
    is_revoked INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE domains (
    domain INTEGER PRIMARY KEY,
    domain_id TEXT NOT NULL UNIQUE,
    -- Who brought the domain record; a roster can give the domain to another device.
    device_id TEXT NOT NULL,
    chunk_count INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE packs (
    number INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    length INTEGER NOT NULL,
    hash BLOB NOT NULL,
    blobs INTEGER NOT NULL,
    -- Blobs that were there already when it came, and the length of all that is not referred to any more.
    duplicates INTEGER NOT NULL,
    -- Damaged chunks that it made whole again.
    healed INTEGER NOT NULL,
    dead_bytes INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    -- When it was last read from the disk and compared.
    last_verified_ms INTEGER,
    -- Since when somebody waits for that to happen; null when nobody does.
    scrub_first_ms INTEGER,
    -- Something of it is altered that no chunk needs: nothing is lost, and it should be written anew.
    needs_rewrite INTEGER NOT NULL DEFAULT 0,
    UNIQUE (device_id, operation_id)
  ) STRICT;
  CREATE INDEX packs_by_verified ON packs (coalesce(last_verified_ms, received_ms));
  CREATE INDEX packs_waiting ON packs (scrub_first_ms) WHERE scrub_first_ms IS NOT NULL;
  CREATE INDEX packs_to_rewrite ON packs (number) WHERE needs_rewrite != 0;
  -- By the share that is dead, in thousandths: a collection looks at those with the most.
  CREATE INDEX packs_by_dead_share ON packs (iif(blobs = 0, 1000, dead_bytes * 1000 / length));

  CREATE TABLE chunks (
    chunk INTEGER PRIMARY KEY,
    domain INTEGER NOT NULL REFERENCES domains,
    chunk_id BLOB NOT NULL,
    pack INTEGER NOT NULL REFERENCES packs,
    offset INTEGER NOT NULL,
    length INTEGER NOT NULL,
    type INTEGER NOT NULL,
    -- 0 live, 1 quarantined: its bytes are damaged or gone, and it counts as missing until it is sent again.
    state INTEGER NOT NULL DEFAULT 0,
    UNIQUE (domain, chunk_id)
  ) STRICT;
  CREATE INDEX chunks_by_pack ON chunks (pack, offset);
  CREATE INDEX chunks_quarantined ON chunks (chunk) WHERE state != 0;

  -- What was found altered or gone, and what became of it. The pack may be gone since, and so may the chunk.
  CREATE TABLE damages (
    damage INTEGER PRIMARY KEY,
    found_ms INTEGER NOT NULL,
    what TEXT NOT NULL,
    -- Of a chunk: where it lay and which it is; of an object: its number.
    pack INTEGER,
    domain INTEGER,
    chunk_id BLOB,
    object INTEGER,
    -- When it became whole again, and by which pack; null while it is not.
    healed_ms INTEGER,
    healed_by_pack INTEGER
  ) STRICT;
  CREATE INDEX damages_open ON damages (domain, chunk_id) WHERE healed_ms IS NULL;
  CREATE INDEX damages_healed ON damages (healed_ms) WHERE healed_ms IS NOT NULL;

  -- Chunks that no snapshot needs: they have just arrived, or were left behind by one that went. Each chunk is in
  -- head_refs, in past_refs or here, so that a collection looks at nothing else.
  CREATE TABLE loose_chunks (
    chunk INTEGER PRIMARY KEY REFERENCES chunks,
    -- The generation that condemned it, and when; null before that, and after somebody asked for it.
    condemned_in INTEGER,
    condemned_ms INTEGER
  ) STRICT;
  CREATE INDEX loose_by_generation ON loose_chunks (condemned_in, condemned_ms);

  -- The cleartext tables of catalog and list nodes: what a snapshot needs can be walked without reading packs.
  CREATE TABLE node_tables (
    chunk INTEGER PRIMARY KEY REFERENCES chunks,
    ids BLOB NOT NULL
  ) STRICT;

  -- The snapshots of one device and set, each following the one before it.
  CREATE TABLE chains (
    chain INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL,
    set_id TEXT NOT NULL,
    domain INTEGER NOT NULL REFERENCES domains,
    head_snapshot TEXT NOT NULL,
    head_sequence INTEGER NOT NULL,
    -- Set hash of the head's refset, to go on from: 2,048 bytes, and the count.
    refset_state BLOB NOT NULL,
    refset_count INTEGER NOT NULL,
    -- Stored length of what the head needs, and of what only snapshots before it need.
    head_bytes INTEGER NOT NULL DEFAULT 0,
    past_bytes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (device_id, set_id)
  ) STRICT;

  CREATE TABLE snapshots (
    number INTEGER PRIMARY KEY REFERENCES objects,
    snapshot_id TEXT NOT NULL UNIQUE,
    receipt INTEGER NOT NULL REFERENCES objects,
    chain INTEGER NOT NULL REFERENCES chains,
    sequence INTEGER NOT NULL,
    is_complete INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    locked_until_ms INTEGER NOT NULL,
    refset_count INTEGER NOT NULL,
    -- When a rule or a person deleted it, why, and until when it can be brought back; null while it is kept.
    deleted_ms INTEGER,
    delete_reason TEXT,
    content_until_ms INTEGER,
    -- A person brought it back: no rule deletes it again.
    is_brought_back INTEGER NOT NULL DEFAULT 0,
    -- The object that says that its content went; the manifest stays, so that a gap in the chain shows.
    tombstone INTEGER REFERENCES objects,
    -- It has its tombstone, and what only it needed is being let go of.
    is_releasing INTEGER NOT NULL DEFAULT 0,
    UNIQUE (chain, sequence)
  ) STRICT;
  CREATE INDEX snapshots_deleted ON snapshots (content_until_ms) WHERE deleted_ms IS NOT NULL AND tombstone IS NULL;
  CREATE INDEX snapshots_releasing ON snapshots (number) WHERE is_releasing = 1;

  -- The newest retention setting of each set that ever had one; the ids of the tenant's default are empty.
  CREATE TABLE retention_settings (
    device_id TEXT NOT NULL,
    set_id TEXT NOT NULL,
    object INTEGER NOT NULL REFERENCES objects,
    PRIMARY KEY (device_id, set_id)
  ) STRICT, WITHOUT ROWID;

  -- Snapshots that another one can't be restored without.
  CREATE TABLE snapshot_requires (
    number INTEGER NOT NULL REFERENCES snapshots,
    required TEXT NOT NULL REFERENCES snapshots (snapshot_id),
    PRIMARY KEY (number, required)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX snapshot_requires_by_required ON snapshot_requires (required);

  -- What a chain's head needs, and since which sequence: a commit costs what it changes.
  CREATE TABLE head_refs (
    chain INTEGER NOT NULL REFERENCES chains,
    chunk INTEGER NOT NULL REFERENCES chunks,
    from_sequence INTEGER NOT NULL,
    -- Nodes of the head that refer to it: while there are any, it can't be taken away.
    parents INTEGER NOT NULL,
    PRIMARY KEY (chain, chunk)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX head_refs_by_chunk ON head_refs (chunk);
  -- The roots: one in each chain.
  CREATE INDEX head_refs_roots ON head_refs (chain) WHERE parents = 0;

  -- What only snapshots before the head need: those from one sequence up to, not including, another.
  CREATE TABLE past_refs (
    chain INTEGER NOT NULL REFERENCES chains,
    chunk INTEGER NOT NULL REFERENCES chunks,
    from_sequence INTEGER NOT NULL,
    to_sequence INTEGER NOT NULL,
    PRIMARY KEY (chain, chunk, from_sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX past_refs_by_end ON past_refs (chain, to_sequence, from_sequence);
  CREATE INDEX past_refs_by_chunk ON past_refs (chunk);

  CREATE TABLE sessions (
    session INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE,
    device_id TEXT NOT NULL,
    operation_id TEXT NOT NULL,
    domain INTEGER NOT NULL REFERENCES domains,
    set_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    -- The snapshot that it holds: nothing of it may go while the session lives.
    held_snapshot TEXT,
    opened_ms INTEGER NOT NULL,
    lease_until_ms INTEGER NOT NULL,
    is_open INTEGER NOT NULL DEFAULT 1,
    UNIQUE (device_id, operation_id)
  ) STRICT;
  CREATE INDEX sessions_open ON sessions (lease_until_ms) WHERE is_open = 1;
  CREATE INDEX sessions_ended ON sessions (opened_ms) WHERE is_open = 0;

  CREATE TABLE staged_parts (
    session INTEGER NOT NULL REFERENCES sessions,
    mode TEXT NOT NULL CHECK (mode IN ('add', 'remove')),
    part INTEGER NOT NULL,
    ids BLOB NOT NULL,
    -- Set hash of these ids alone.
    hash_state BLOB NOT NULL,
    PRIMARY KEY (session, mode, part)
  ) STRICT;
  `,
];

/**
 * Tables of a connection, in memory: what a commit that is under way has resolved. Each attempt has a draft of its own,
 * so that two of one session at once never see each other's.
 */
export const DRAFT_SCHEMA = `
  CREATE TEMP TABLE draft_refs (
    draft INTEGER NOT NULL,
    -- What becomes of the chunk: 'add', 'remove', or 'keep' where only the count of its parents changes.
    mode TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    -- Change of the count of nodes that refer to it.
    parents INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (draft, mode, chunk)
  ) STRICT, WITHOUT ROWID;

  -- What a preview counts: by how many rows the snapshots that it is about hold a chunk.
  CREATE TEMP TABLE draft_releases (
    draft INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    holds INTEGER NOT NULL,
    PRIMARY KEY (draft, chunk)
  ) STRICT, WITHOUT ROWID;
`;
