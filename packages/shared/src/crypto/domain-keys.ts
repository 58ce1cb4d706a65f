import type { ByteWriter } from '../encoding/byte-writer.ts';
import { RecordReader, RecordWriter } from '../encoding/record.ts';
import { deriveKey, hmacSha256 } from '../hash.ts';
import { RANDOM_ID_BYTES, type ChunkId, type DomainId, type SetId } from '../ids.ts';
import { BLOB_TYPES, type BlobType } from '../format/envelope/blob.ts';
import { randomBytes } from 'node:crypto';
import { LIMITS } from '../limits.ts';

const SECRET_BYTES = 32;

/** How content of a domain is cut; `chunkerId` names the algorithm (1: `packages/agent/src/chunker`). */
export interface ChunkerSettings {
  readonly chunkerId: number;
  readonly bytesMin: number;
  readonly bytesAverage: number;
  readonly bytesMax: number;
}

/** What a domain record holds once it is opened. Knowing it, one can name content, but not open any. */
export interface DomainSecrets {
  readonly domainId: DomainId;
  /** 32 bytes, from which ids are made. */
  readonly idSecret: Buffer;
  /** 32 bytes, from which cuts are made. */
  readonly cutSecret: Buffer;
  readonly chunker: ChunkerSettings;
}

/** Names content and cuts it, within one domain. */
export interface DomainKeys {
  readonly domainId: DomainId;
  readonly chunker: ChunkerSettings;
  /** Key of the content-defined chunker, 32 bytes. */
  readonly chunkerKey: Buffer;
  /** Key of the catalog's cuts, 8 bytes. */
  readonly catalogCutKey: Buffer;
  /** Id of content: HMAC-SHA-256 of the plaintext. */
  dataId(plaintext: Uint8Array): ChunkId;
  /** Id of a node: HMAC-SHA-256 over type, table and plaintext, so that the table can't be exchanged. */
  nodeId(type: Exclude<BlobType, 'data'>, table: Uint8Array, plaintext: Uint8Array): ChunkId;
  /** A set is named by its name, so that a device which lost its state finds its chain again. */
  setId(setName: string): SetId;
}

/** New random secrets, with the chunk sizes that new domains get. */
export function newDomainSecrets(domainId: DomainId): DomainSecrets {
  return {
    domainId,
    idSecret: randomBytes(SECRET_BYTES),
    cutSecret: randomBytes(SECRET_BYTES),
    chunker: {
      chunkerId: 1,
      bytesMin: LIMITS.chunkBytesMin,
      bytesAverage: LIMITS.chunkBytesAverage,
      bytesMax: LIMITS.chunkBytesMax,
    },
  };
}

/** The keys that come from the secrets of a domain, always the same ones. */
export function domainKeys(secrets: DomainSecrets): DomainKeys {
  const dataKey = deriveKey(secrets.idSecret, 'cofre 1 id of content');
  const nodeKey = deriveKey(secrets.idSecret, 'cofre 1 id of node');
  const setKey = deriveKey(secrets.idSecret, 'cofre 1 id of set');
  return {
    domainId: secrets.domainId,
    chunker: secrets.chunker,
    chunkerKey: deriveKey(secrets.cutSecret, 'cofre 1 cuts of content'),
    catalogCutKey: deriveKey(secrets.cutSecret, 'cofre 1 cuts of catalog', 8),
    dataId: (plaintext) => hmacSha256(dataKey, plaintext).toString('hex') as ChunkId,
    nodeId: (type, table, plaintext) => {
      const prefix = Buffer.alloc(5);
      prefix[0] = BLOB_TYPES[type];
      prefix.writeUInt32LE(table.length / 32, 1);
      return hmacSha256(nodeKey, prefix, table, plaintext).toString('hex') as ChunkId;
    },
    setId: (setName) =>
      hmacSha256(setKey, Buffer.from(setName, 'utf8')).toString('hex', 0, RANDOM_ID_BYTES) as SetId,
  };
}

/** The plaintext of a domain record. */
export function encodeDomainSecrets(secrets: DomainSecrets): Buffer {
  const { chunkerId, bytesMin, bytesAverage, bytesMax } = secrets.chunker;
  return new RecordWriter()
    .hex(1, true, secrets.domainId)
    .field(2, true, secrets.idSecret)
    .field(3, true, secrets.cutSecret)
    .build(4, true, (target: ByteWriter) =>
      target.varint(chunkerId).varint(bytesMin).varint(bytesAverage).varint(bytesMax),
    )
    .take();
}

/** @throws CofreError `damaged`, `unknown_format`; the chunker's settings are for the chunker to check */
export function decodeDomainSecrets(plaintext: Uint8Array): DomainSecrets {
  const record = new RecordReader(plaintext, 'A domain record');
  const domainId = record.hex<DomainId>(1, RANDOM_ID_BYTES);
  const idSecret = record.bytes(2, SECRET_BYTES);
  const cutSecret = record.bytes(3, SECRET_BYTES);
  const chunker = record.reader(4);
  const secrets: DomainSecrets = {
    domainId,
    idSecret,
    cutSecret,
    chunker: {
      chunkerId: chunker.varint(),
      bytesMin: chunker.varint(),
      bytesAverage: chunker.varint(),
      bytesMax: chunker.varint(),
    },
  };
  chunker.expectEnd();
  record.close();
  return secrets;
}
