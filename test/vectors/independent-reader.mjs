// A reader of format 1, written from docs/format.md alone. It imports nothing of Cofre, only what Node brings, and
// shares no line with it: what it reads, the description describes.
//
//     node independent-reader.mjs WORD-LIST KIT FOLDER
//
// WORD-LIST has the 2,048 words of BIP 39, one a line. FOLDER holds packs and signed objects, named in any way, for
// example a vault of a store. It prints the newest snapshot: one JSON object a line, paths and content in hexadecimal.

import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  hkdfSync,
  verify,
} from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

// Primitives

const hash = (algorithm, ...parts) => {
  const state = createHash(algorithm);
  for (const part of parts) state.update(part);
  return state.digest();
};
const shake256 = (data, outputLength) => createHash('shake256', { outputLength }).update(data).digest();
const hmac = (key, ...parts) => {
  const state = createHmac('sha256', key);
  for (const part of parts) state.update(part);
  return state.digest();
};
const hkdf = (secret, label, length = 32, salt = '') =>
  Buffer.from(hkdfSync('sha256', secret, salt, label, length));
const hex = (bytes) => bytes.toString('hex');

function demand(condition, problem) {
  if (!condition) throw new Error(problem);
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  get left() {
    return this.bytes.length - this.at;
  }
  take(count) {
    demand(count <= this.left, 'it ends too early');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  u8() {
    return this.take(1)[0];
  }
  u16() {
    return this.take(2).readUInt16LE();
  }
  u32() {
    return this.take(4).readUInt32LE();
  }
  varint() {
    let value = 0;
    for (let shift = 0; shift < 8; shift++) {
      const byte = this.u8();
      value += (byte % 128) * 2 ** (7 * shift);
      if (byte < 128) {
        demand(Number.isSafeInteger(value) && (byte > 0 || shift === 0), 'a wrong number');
        return value;
      }
    }
    throw new Error('a number is too long');
  }
  sized() {
    return this.take(this.varint());
  }
  all(read) {
    const items = [];
    while (this.left > 0) items.push(read(this));
    return items;
  }
  end() {
    demand(this.left === 0, 'something follows its end');
  }
}

/** The fields of a record by number. `known` are the numbers that the caller understands. */
function record(bytes, known) {
  const reader = new Reader(bytes);
  const fields = new Map();
  let last = 0;
  while (reader.left > 0) {
    const key = reader.varint();
    const field = Math.floor(key / 2);
    demand(field > last, 'fields are out of order');
    demand(known.includes(field) || key % 2 === 0, `field ${field} is of a newer version`);
    last = field;
    fields.set(field, reader.sized());
  }
  return fields;
}

function number(bytes) {
  const reader = new Reader(bytes);
  const value = reader.varint();
  reader.end();
  return value;
}

const numbersTo = (count) => Array.from({ length: count }, (_, index) => index + 1);

// Keys

function secretFromKit(text, wordList) {
  const numbers = new Map(wordList.map((word, index) => [word, index]));
  const runs = [[]];
  for (const line of text.toLowerCase().split(/\r\n|\n/)) {
    const words = line.split(/[^\p{L}]+/u).filter((word) => word !== '');
    const isLabel = /^\s*\p{L}[^:]*:/u.test(line);
    if (!isLabel && words.every((word) => numbers.has(word))) runs.at(-1).push(...words);
    else runs.push([]);
  }
  const run = runs.find((words) => words.length === 24);
  demand(run !== undefined, 'there are no 24 words in the kit');
  const bits = run.map((word) => numbers.get(word).toString(2).padStart(11, '0')).join('');
  const bytes = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const secret = bytes.subarray(0, 32);
  demand(bytes[32] === hash('sha256', secret)[0], 'the checksum of the words is wrong');
  return secret;
}

/** DER that Node wants in front of a raw key. */
const DER = {
  ed25519Seed: '302e020100300506032b657004220420',
  ed25519Public: '302a300506032b6570032100',
  x25519Private: '302e020100300506032b656e04220420',
  x25519Public: '302a300506032b656e032100',
  mlKem768Seed: '3054020100300b060960864801650304040204428040',
};
const der = (prefix, raw) => Buffer.concat([Buffer.from(DER[prefix], 'hex'), raw]);
const privateKey = (prefix, raw) => createPrivateKey({ key: der(prefix, raw), format: 'der', type: 'pkcs8' });
const publicKey = (prefix, raw) => createPublicKey({ key: der(prefix, raw), format: 'der', type: 'spki' });
const rawPublic = (key) => createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);

// age

function hpkeKey(sharedSecret) {
  const suite = Buffer.concat([Buffer.from('HPKE'), Buffer.from('647a00010003', 'hex')]);
  const start = Buffer.concat([Buffer.from('HPKE-v1'), suite]);
  const extract = (salt, label, input) => hmac(salt, start, label, input);
  const noSalt = Buffer.alloc(32);
  const context = Buffer.concat([
    Buffer.from([0]),
    extract(noSalt, 'psk_id_hash', ''),
    extract(noSalt, 'info_hash', 'age-encryption.org/mlkem768x25519'),
  ]);
  const secret = extract(sharedSecret, 'secret', '');
  const expand = (label, length) =>
    hmac(secret, Buffer.from([0, length]), start, label, context, Buffer.from([1])).subarray(0, length);
  return { key: expand('key', 32), nonce: expand('base_nonce', 12) };
}

function chachaOpen(key, nonce, sealed) {
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
  decipher.setAuthTag(sealed.subarray(-16));
  const opened = decipher.update(sealed.subarray(0, -16));
  decipher.final();
  return opened;
}

function unwrapFileKey(seed, encapsulated, body) {
  const seeds = shake256(seed, 96);
  const xPrivate = privateKey('x25519Private', seeds.subarray(64));
  const theirs = encapsulated.subarray(1088);
  const sharedM = decapsulate(
    privateKey('mlKem768Seed', seeds.subarray(0, 64)),
    encapsulated.subarray(0, 1088),
  );
  const sharedX = diffieHellman({ privateKey: xPrivate, publicKey: publicKey('x25519Public', theirs) });
  const shared = hash('sha3-256', sharedM, sharedX, theirs, rawPublic(xPrivate), '\\.//^\\');
  const { key, nonce } = hpkeKey(shared);
  try {
    return chachaOpen(key, nonce, body);
  } catch {
    return null;
  }
}

function openAge(file, seed) {
  let at = 0;
  const line = () => {
    const end = file.indexOf(10, at);
    demand(end >= 0, 'an age file ends too early');
    const text = file.toString('latin1', at, end);
    at = end + 1;
    return text;
  };
  demand(line() === 'age-encryption.org/v1', 'no age file');
  let fileKey = null;
  for (let text = line(); ; text = line()) {
    if (text.startsWith('--- ')) {
      demand(fileKey !== null, 'it is sealed to somebody else');
      const signed = file.subarray(0, at - text.length - 1 + 3);
      demand(
        hmac(hkdf(fileKey, 'header'), signed).equals(Buffer.from(text.slice(4), 'base64')),
        'a wrong header',
      );
      return openStream(file.subarray(at), fileKey);
    }
    const [, type, encapsulated] = text.split(' ');
    const body = [];
    do body.push(line());
    while (body.at(-1).length === 64);
    if (type === 'mlkem768x25519') {
      fileKey ??= unwrapFileKey(
        seed,
        Buffer.from(encapsulated, 'base64'),
        Buffer.from(body.join(''), 'base64'),
      );
    }
  }
}

function openStream(rest, fileKey) {
  const key = hkdf(fileKey, 'payload', 32, rest.subarray(0, 16));
  const sealed = rest.subarray(16);
  const chunkBytes = 64 * 1024 + 16;
  const opened = [];
  for (let index = 0; index * chunkBytes < sealed.length; index++) {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(index, 7);
    nonce[11] = (index + 1) * chunkBytes >= sealed.length ? 1 : 0;
    opened.push(chachaOpen(key, nonce, sealed.subarray(index * chunkBytes, (index + 1) * chunkBytes)));
  }
  return Buffer.concat(opened);
}

// Blobs and packs

function padme(length) {
  if (length < 2) return length;
  const exponent = Math.floor(Math.log2(length));
  const unit = 2 ** Math.max(0, exponent - (Math.floor(Math.log2(exponent)) + 1));
  return Math.ceil(length / unit) * unit;
}

function openPayload(payload) {
  const reader = new Reader(payload);
  const [codec, rawLength, length] = [reader.u8(), reader.u32(), reader.u32()];
  demand(rawLength <= 4 * 1024 * 1024 && codec <= 1, 'a payload of another kind');
  const content = reader.take(length);
  demand(payload.length === padme(9 + length), 'a wrong length');
  demand(
    reader.take(reader.left).every((byte) => byte === 0),
    'padding that is not empty',
  );
  const raw =
    codec === 0 ? content : zstdDecompressSync(content, { maxOutputLength: Math.max(1, rawLength) });
  demand(raw.length === rawLength, 'a wrong raw length');
  return raw;
}

function readBlobHeader(blob) {
  const reader = new Reader(blob);
  demand(reader.take(4).toString() === 'CfB1', 'no blob');
  const [suite, type, flags] = [reader.u8(), reader.u8(), reader.u16()];
  demand(suite === 1 && type >= 1 && type <= 4 && flags === 0, 'a blob of a newer version');
  const [ids, sealedLength] = [reader.u32(), reader.u32()];
  const header = { type, sealedLength, domain: hex(reader.take(16)), period: hex(reader.take(16)) };
  const chunkId = reader.take(32);
  const table = reader.take(ids * 32);
  demand(reader.left === 12 + sealedLength + 16, 'a blob of a wrong length');
  return {
    ...header,
    chunkId,
    table,
    authenticated: blob.subarray(0, reader.at),
    sealed: blob.subarray(reader.at),
  };
}

function openBlob(blob, domain, periodOf) {
  const { type, chunkId, table, authenticated, sealed, ...header } = readBlobHeader(blob);
  demand(header.domain === domain.id, 'a blob of another domain');
  const period = periodOf(header.period);
  const typeByte = Buffer.from([type]);
  const key = hmac(type === 1 ? period.contentKey : period.catalogKey, typeByte, chunkId);
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  decipher.setAAD(authenticated);
  decipher.setAuthTag(sealed.subarray(-16));
  const payload = decipher.update(sealed.subarray(12, -16));
  decipher.final();
  const content = openPayload(payload);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(table.length / 32);
  const id =
    type === 1 ? hmac(domain.contentIdKey, content) : hmac(domain.nodeIdKey, typeByte, count, table, content);
  demand(id.equals(chunkId), 'a blob is not what its id says');
  return {
    type,
    content,
    table: Array.from({ length: table.length / 32 }, (_, i) => hex(table.subarray(i * 32, i * 32 + 32))),
  };
}

/** Chunk id → blob, of one pack. */
function readPack(pack) {
  const end = new Reader(pack.subarray(-8));
  const trailerLength = end.u32();
  demand(end.take(4).toString() === 'CfE1', 'a pack without its end');
  const trailer = pack.subarray(-8 - trailerLength, -8);
  demand(
    hash('sha256', pack.subarray(0, 16), trailer.subarray(0, -32)).equals(trailer.subarray(-32)),
    'a wrong trailer',
  );
  const reader = new Reader(trailer.subarray(0, -32));
  demand(reader.take(4).toString() === 'CfT1' && reader.u8() === 1, 'no trailer');
  const kind = reader.u8();
  demand((kind === 1 || kind === 2) && reader.u16() === 0, 'a pack of a newer version');
  const blobs = new Map();
  let offset = 16;
  for (let count = reader.u32(); count > 0; count--) {
    const [id, type, length, sum] = [hex(reader.take(32)), reader.u8(), reader.u32(), reader.take(32)];
    demand((type === 1) === (kind === 1), 'a blob in the wrong pack');
    const blob = pack.subarray(offset, offset + length);
    demand(hash('sha256', blob).equals(sum), 'a damaged blob');
    blobs.set(id, blob);
    offset += length;
  }
  reader.end();
  demand(offset === pack.length - 8 - trailerLength, 'a pack with gaps');
  return blobs;
}

// Signed objects

const KINDS = { 1: 'roster', 2: 'manifest', 3: 'keyring', 4: 'domain', 5: 'read grant' };

function readObject(bytes) {
  const reader = new Reader(bytes.subarray(0, -64));
  demand(reader.take(4).toString() === 'CfS1', 'no object');
  const [kind, version, flags] = [KINDS[reader.u8()], reader.u8(), reader.u16()];
  demand(version === 1 && flags === 0, 'an object of a newer version');
  const signer = hex(reader.take(16));
  const payload = reader.take(reader.u32());
  reader.end();
  const isSignedBy = (key) =>
    hex(hash('sha256', key).subarray(0, 16)) === signer &&
    verify(
      null,
      Buffer.concat([Buffer.from('cofre signed object 1\0'), bytes.subarray(0, -64)]),
      publicKey('ed25519Public', key),
      bytes.subarray(-64),
    );
  return { kind, payload, isSignedBy, id: hex(hash('sha256', bytes)) };
}

function readRoster(payload) {
  const fields = record(payload, numbersTo(7));
  const devices = new Reader(fields.get(6)).all((reader) => {
    const device = record(reader.sized(), numbersTo(5));
    return { id: hex(device.get(1)), key: device.get(2), domain: hex(device.get(4)) };
  });
  return { version: number(fields.get(2)), devices };
}

function readManifest(payload) {
  const fields = record(payload, numbersTo(18));
  demand(fields.get(16).length === 0, 'the snapshot needs features of a newer version');
  return {
    device: hex(fields.get(2)),
    domain: hex(fields.get(3)),
    sequence: number(fields.get(5)),
    finished: fields.get(8).readBigInt64LE(),
    root: hex(fields.get(12)),
    refset: { count: number(fields.get(13)), digest: hex(fields.get(14)) },
    info: fields.get(18),
  };
}

function readDomain(bytes) {
  const fields = record(bytes, numbersTo(4));
  const idSecret = fields.get(2);
  return {
    id: hex(fields.get(1)),
    contentIdKey: hkdf(idSecret, 'cofre 1 id of content'),
    nodeIdKey: hkdf(idSecret, 'cofre 1 id of node'),
  };
}

function readPeriod(bytes) {
  const fields = record(bytes, numbersTo(4));
  const secret = fields.get(4);
  return {
    id: hex(fields.get(1)),
    device: hex(fields.get(2)),
    contentKey: hkdf(secret, 'cofre 1 content'),
    catalogKey: hkdf(secret, 'cofre 1 catalog'),
  };
}

// Catalog

const readSlice = (reader, table) => {
  const slice = { id: table[reader.varint()], offset: reader.varint(), length: reader.varint() };
  demand(slice.id !== undefined && slice.length > 0, 'a wrong slice');
  return slice;
};

function readReference(reader, table) {
  if (reader.varint() === 1) {
    return { list: { id: table[reader.varint()], level: reader.varint(), length: reader.varint() } };
  }
  return { slices: Array.from({ length: reader.varint() }, () => readSlice(reader, table)) };
}

function readLeafItem(reader, table, key) {
  const entry = readEntry(reader.sized());
  const reference = readReference(reader, table);
  for (let streams = reader.varint(); streams > 0; streams--) {
    reader.sized();
    reader.varint();
    readReference(reader, table);
  }
  return { key, entry, reference };
}

function readInnerItem(reader, table, key) {
  const child = table[reader.varint()];
  reader.varint();
  demand(child !== undefined, 'a child outside the table');
  return { key, child };
}

/** The items of a node; every key is compared with the one before it, over the whole catalog. */
function* walk(open, id, state) {
  const { type, content, table } = open(id);
  demand(type === 2, 'no node of a catalog');
  const reader = new Reader(content);
  const kind = reader.u8();
  demand(kind === 1 || kind === 2, 'a node of another kind');
  let key = Buffer.alloc(0);
  for (let count = reader.varint(); count > 0; count--) {
    key = Buffer.concat([key.subarray(0, reader.varint()), reader.sized()]);
    if (kind === 2) {
      yield* walk(open, readInnerItem(reader, table, key).child, state);
      continue;
    }
    demand(state.last === null || Buffer.compare(state.last, key) < 0, 'keys out of order');
    state.last = key;
    yield readLeafItem(reader, table, key);
  }
  reader.end();
}

function pathOf(key) {
  if (key.length === 0) return key;
  const parts = key.toString('latin1').split('\0');
  const name = parts.pop();
  demand(parts.pop() === '', 'a malformed key');
  const path = [...parts, name];
  demand(
    path.every((one) => !['', '.', '..'].includes(one) && !one.includes('/')),
    'a name that is not allowed',
  );
  return Buffer.from(path.join('/'), 'latin1');
}

const TYPES = ['', 'file', 'folder', 'link', 'fifo', 'character device', 'block device', 'stream'];

function readEntry(bytes) {
  const fields = record(bytes, numbersTo(20));
  const time = new Reader(fields.get(7));
  const seconds = time.take(8).readBigInt64LE();
  const optional = (field, read) => (fields.has(field) ? read(fields.get(field)) : undefined);
  let end = 0;
  return {
    type: TYPES[number(fields.get(1))],
    mode: number(fields.get(2)),
    uid: number(fields.get(3)),
    gid: number(fields.get(4)),
    owner: optional(5, String),
    modifiedNs: String(seconds * 1_000_000_000n + BigInt(time.u32())),
    size: optional(10, number) ?? 0,
    attributes: optional(11, (all) =>
      new Reader(all).all((reader) => [hex(reader.sized()), hex(reader.sized())]),
    ),
    target: optional(12, hex),
    hardLinkTo: optional(13, hex),
    holes: optional(15, (all) =>
      new Reader(all).all((reader) => {
        const hole = { start: end + reader.varint(), length: reader.varint() };
        end = hole.start + hole.length;
        return hole;
      }),
    ),
  };
}

function* slicesOf(open, { slices, list }) {
  if (slices !== undefined) {
    yield* slices;
    return;
  }
  const { type, content, table } = open(list.id);
  const reader = new Reader(content);
  demand(type === 3 && reader.u8() === 3 && reader.varint() === list.level, 'no list of this level');
  let length = 0;
  for (let count = reader.varint(); count > 0; count--) {
    const slice = readSlice(reader, table);
    length += slice.length;
    if (list.level === 0) yield slice;
    else yield* slicesOf(open, { list: { ...slice, level: list.level - 1 } });
  }
  reader.end();
  demand(length === list.length, 'a list of a wrong length');
}

/** Content with zeros in its holes. */
function contentOf(open, { entry, reference }) {
  const data = [];
  for (const { id, offset, length } of slicesOf(open, reference)) {
    const { type, content } = open(id);
    demand(type === 1 && offset + length <= content.length, 'a slice outside its chunk');
    data.push(content.subarray(offset, offset + length));
  }
  const rest = new Reader(Buffer.concat(data));
  const parts = [];
  let at = 0;
  for (const { start, length } of entry.holes ?? []) {
    parts.push(rest.take(start - at), Buffer.alloc(length));
    at = start + length;
  }
  parts.push(rest.take(rest.left));
  const whole = Buffer.concat(parts);
  demand(whole.length === entry.size, 'content of another size');
  return whole;
}

function refsetDigest(ids) {
  const sum = new Uint16Array(1024);
  for (const id of ids) {
    const expanded = shake256(Buffer.from(id, 'hex'), 2048);
    for (let place = 0; place < 1024; place++) sum[place] += expanded.readUInt16LE(place * 2);
  }
  const bytes = Buffer.alloc(2048);
  sum.forEach((value, place) => bytes.writeUInt16LE(value, place * 2));
  return hex(hash('sha256', bytes));
}

// A vault

function readVault(folder) {
  const blobs = new Map();
  const objects = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    if (bytes.subarray(0, 8).toString() === 'CofrePk1') {
      for (const [id, blob] of readPack(bytes)) blobs.set(id, blob);
    } else if (bytes.subarray(0, 4).toString() === 'CfS1') {
      objects.push(readObject(bytes));
    }
  }
  return { blobs, objects };
}

function newest(items, ofItem) {
  demand(items.length > 0, 'nothing that is signed by who should');
  return items.reduce((best, item) => (ofItem(item) > ofItem(best) ? item : best));
}

/** What the recovery key trusts in a vault: its newest snapshot, and the keys for it. */
function openVault({ blobs, objects }, secret) {
  const ageSeed = hkdf(secret, 'cofre 1 age identity');
  const authority = rawPublic(privateKey('ed25519Seed', hkdf(secret, 'cofre 1 authority')));
  const signed = (kind, key) => objects.filter((object) => object.kind === kind && object.isSignedBy(key));
  const rosters = signed('roster', authority).map(({ payload }) => readRoster(payload));
  const { devices } = newest(rosters, ({ version }) => version);
  const byDevices = (kind) =>
    devices.flatMap((device) => signed(kind, device.key).map((object) => ({ ...object, device })));
  const manifests = byDevices('manifest')
    .map(({ payload, device, id }) => ({ ...readManifest(payload), id, signer: device }))
    .filter(({ device, domain, signer }) => device === signer.id && domain === signer.domain);
  const manifest = newest(manifests, ({ finished }) => finished);
  const seal = (kind, idField, id) => {
    const [found] = byDevices(kind)
      .map(({ payload, device }) => ({ fields: record(payload, numbersTo(5)), device }))
      .filter(({ fields, device }) => hex(fields.get(idField)) === id && device.domain === manifest.domain);
    demand(found !== undefined, `no ${kind} for ${id}`);
    return { opened: openAge(found.fields.get(kind === 'keyring' ? 5 : 4), ageSeed), device: found.device };
  };
  const domain = readDomain(seal('domain', 1, manifest.domain).opened);
  demand(domain.id === manifest.domain, 'another domain is in the seal');
  const periods = new Map();
  const periodOf = (id) => {
    if (!periods.has(id)) {
      const { opened, device } = seal('keyring', 1, id);
      const period = readPeriod(opened);
      demand(period.id === id && period.device === device.id, 'another period is in the seal');
      periods.set(id, period);
    }
    return periods.get(id);
  };
  return { manifest, domain, periodOf, blobs };
}

function* readSnapshot({ manifest, domain, periodOf, blobs }) {
  const used = new Set();
  const open = (id) => {
    const blob = blobs.get(id);
    demand(blob !== undefined, `chunk ${id} is missing`);
    demand(hex(blob.subarray(48, 80)) === id, 'another blob in its place');
    used.add(id);
    return openBlob(blob, domain, periodOf);
  };
  const info = record(openBlob(manifest.info, domain, periodOf).content, numbersTo(5));
  yield { snapshot: manifest.id, set: String(info.get(1)), computer: String(info.get(2)) };
  for (const item of walk(open, manifest.root, { last: null })) {
    const { entry, key } = item;
    const hasContent = entry.type === 'file' && entry.hardLinkTo === undefined;
    const content = hasContent ? { content: hex(contentOf(open, item)) } : {};
    yield { path: hex(pathOf(key)), ...entry, ...content };
  }
  const { count, digest } = manifest.refset;
  demand(
    used.size === count && refsetDigest(used) === digest,
    'the snapshot needs other chunks than it says',
  );
}

function main([wordListFile, kitFile, folder]) {
  const words = readFileSync(wordListFile, 'utf8').trim().split('\n');
  const secret = secretFromKit(readFileSync(kitFile, 'utf8'), words);
  for (const line of readSnapshot(openVault(readVault(folder), secret))) console.log(JSON.stringify(line));
}

main(process.argv.slice(2));
