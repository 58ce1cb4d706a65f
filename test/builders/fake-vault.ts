import { randomBytes } from 'node:crypto';
import type { EntryMetadata } from '@cofre/shared/catalog/entry-codec';
import { sealWithAge } from '@cofre/shared/crypto/age-sealing';
import {
  domainKeys,
  encodeDomainSecrets,
  newDomainSecrets,
  type DomainSecrets,
} from '@cofre/shared/crypto/domain-keys';
import { encodeKeyPeriod, newKeyPeriod, type KeyPeriod } from '@cofre/shared/crypto/key-period';
import { formatKit } from '@cofre/shared/crypto/kit';
import {
  authorityFingerprint,
  newRecoverySecret,
  recoveryKeyFromSecret,
  type RecoveryKey,
} from '@cofre/shared/crypto/recovery-key';
import { encodeManifest, snapshotIdOf, type Manifest } from '@cofre/shared/format/envelope/manifest';
import { encodeRoster, type RosterDevice } from '@cofre/shared/format/envelope/roster';
import { encodeDomainObject, encodeKeyringObject } from '@cofre/shared/format/envelope/sealed-keys';
import { encodeSignedObject } from '@cofre/shared/format/envelope/signed-object';
import { newRandomId, type DeviceId, type DomainId, type TenantId } from '@cofre/shared/ids';
import { signingKeyFromSeed } from '@cofre/shared/signature';
import type { SnapshotItem } from '@cofre/shared/wire/snapshots';
import type { Trust } from '@cofre/shared/wire/trust';
import type { DeviceIdentity } from '../../packages/agent/src/state/agent-context.ts';
import { FakeSealer, sealTree } from './fake-sealer.ts';

/** A path of a snapshot to be: its entry, and its content without the holes. */
export interface FakeEntry {
  readonly entry: EntryMetadata;
  readonly content?: Buffer;
}

/** A tree by catalog path. Folders above an entry have to be named as well where a test wants them. */
export type FakeTree = Readonly<Record<string, FakeEntry>>;

export interface FakeDevice {
  readonly name: string;
  readonly identity: DeviceIdentity;
  readonly domain: DomainSecrets;
  /** Newest snapshot by set name. */
  readonly heads: Map<string, { sequence: number; snapshotId: string }>;
}

const OBJECT_TIME_NS = 1_700_000_000_000_000_000n;

/**
 * The vault of one tenant in memory, with everything that agents would have put there: trust, key objects,
 * snapshots and their blobs. Everything is genuine; tests take it apart through the public maps and lists.
 */
export class FakeVault {
  readonly tenantId = newRandomId<TenantId>();
  readonly recoveryKey: RecoveryKey;
  readonly kit: { readonly text: string; readonly source: string };
  readonly devices: FakeDevice[] = [];
  readonly snapshots: SnapshotItem[] = [];
  /** Signed objects: `keyring ID` and `domain ID`. */
  readonly objects = new Map<string, Buffer>();
  /** `DOMAIN CHUNK` → blob; null for one that the server found damaged. */
  readonly blobs = new Map<string, Buffer | null>();
  trust: Trust = { authorityKey: null, roster: null };
  rosterVersion = 0;

  private constructor(secret: Buffer, recoveryKey: RecoveryKey) {
    this.recoveryKey = recoveryKey;
    this.kit = { text: kitText(secret, recoveryKey), source: 'kit.txt' };
  }

  static async create(): Promise<FakeVault> {
    const secret = newRecoverySecret();
    return new FakeVault(secret, await recoveryKeyFromSecret(secret));
  }

  /** @param isInRoster false for a device that the authority never named */
  async addDevice(name: string, isInRoster = true): Promise<FakeDevice> {
    const domain = newDomainSecrets(newRandomId<DomainId>());
    const deviceId = newRandomId<DeviceId>();
    const signingKey = signingKeyFromSeed(randomBytes(32));
    const identity: DeviceIdentity = {
      address: 'http://127.0.0.1:1',
      certificatePin: null,
      tenantId: this.tenantId,
      tenantName: 'Test account',
      deviceId,
      credentialSecret: randomBytes(32).toString('base64url'),
      signingKey,
      authorityKey: this.recoveryKey.authority.publicKey.toString('hex'),
      domain,
    };
    const device: FakeDevice = { name, identity, domain, heads: new Map() };
    this.devices.push(device);
    const sealed = await sealWithAge(encodeDomainSecrets(domain), [this.recoveryKey.age.recipient]);
    const { domainId } = domain;
    const record = encodeDomainObject({ domainId, deviceId, createdNs: OBJECT_TIME_NS, sealed });
    this.objects.set(`domain ${domainId}`, encodeSignedObject('domain', record, signingKey));
    if (isInRoster) this.signRoster([...this.#rosterDevices, rosterDeviceOf(device)]);
    return device;
  }

  #rosterDevices: RosterDevice[] = [];

  /** Signs the next version of the roster with these devices. */
  signRoster(devices: readonly RosterDevice[], signer = this.recoveryKey.authority): void {
    this.#rosterDevices = [...devices];
    this.rosterVersion += 1;
    const payload = encodeRoster({
      tenantId: this.tenantId,
      version: this.rosterVersion,
      previous: null,
      createdNs: OBJECT_TIME_NS,
      recipients: [this.recoveryKey.age.recipient],
      devices,
      successor: null,
    });
    this.trust = {
      authorityKey: this.recoveryKey.authority.publicKey.toString('hex'),
      roster: encodeSignedObject('roster', payload, signer).toString('base64'),
    };
  }

  /**
   * Stores a snapshot of a tree under a key period of its own.
   * @param change is applied to the manifest before it is signed
   */
  async backUp(
    device: FakeDevice,
    tree: FakeTree,
    { setName = 'default', change = (manifest: Manifest): Manifest => manifest } = {},
  ): Promise<SnapshotItem> {
    const { deviceId } = device.identity;
    const { domainId } = device.domain;
    const period = newKeyPeriod(deviceId, domainId);
    await this.#storePeriod(period, device);
    const sealer = new FakeSealer(device.domain, period, (id, blob) =>
      this.blobs.set(`${domainId} ${id}`, blob),
    );
    const head = device.heads.get(setName) ?? null;
    const manifest: Manifest = {
      tenantId: this.tenantId,
      deviceId,
      domainId,
      setId: domainKeys(device.domain).setId(setName),
      sequence: (head?.sequence ?? 0) + 1,
      previous: (head?.snapshotId as Manifest['previous']) ?? null,
      startedNs: OBJECT_TIME_NS,
      finishedNs: OBJECT_TIME_NS,
      kind: 'incremental',
      base: null,
      isComplete: true,
      catalogRoot: sealTree(tree, device.domain, sealer),
      refset: { count: 0, digest: '0'.repeat(64) },
      requires: [],
      featuresRequired: [],
      statistics: statisticsOf(tree),
      sealedInfo: sealer.sealInfo(setName, device.name),
    };
    return this.#keep(change(manifest), device, setName);
  }

  #keep(manifest: Manifest, { identity, heads }: FakeDevice, setName: string): SnapshotItem {
    const object = encodeSignedObject('manifest', encodeManifest(manifest), identity.signingKey);
    const snapshotId = snapshotIdOf(object);
    heads.set(setName, { sequence: manifest.sequence, snapshotId });
    const item: SnapshotItem = {
      snapshotId,
      number: this.snapshots.length + 1,
      deviceId: identity.deviceId,
      setId: manifest.setId,
      received: '2026-01-01T00:00:00.000Z',
      lockedUntil: '2026-01-08T00:00:00.000Z',
      state: 'kept',
      contentUntil: null,
      manifest: object.toString('base64'),
    };
    this.snapshots.push(item);
    return item;
  }

  async #storePeriod(period: KeyPeriod, { identity }: FakeDevice): Promise<void> {
    const sealed = await sealWithAge(encodeKeyPeriod(period), [this.recoveryKey.age.recipient]);
    const { keyPeriodId, deviceId, domainId } = period;
    const payload = encodeKeyringObject({
      keyPeriodId,
      deviceId,
      domainId,
      createdNs: OBJECT_TIME_NS,
      sealed,
    });
    this.objects.set(`keyring ${keyPeriodId}`, encodeSignedObject('keyring', payload, identity.signingKey));
  }
}

/** How a device stands in a roster. */
export function rosterDeviceOf({ identity, domain }: FakeDevice): RosterDevice {
  return {
    deviceId: identity.deviceId,
    signingKey: identity.signingKey.publicKey.toString('hex'),
    inbox: 'age1pq1inbox',
    domainId: domain.domainId,
    isRevoked: false,
  };
}

/** As the agent counts: further names of a file are files, without bytes. */
function statisticsOf(tree: FakeTree): Manifest['statistics'] {
  const entries = Object.values(tree).map(({ entry }) => entry);
  const files = entries.filter(({ type }) => type === 'file');
  const folders = entries.filter(({ type }) => type === 'directory').length;
  const bytes = files.reduce((sum, { size, hardLinkTo }) => sum + (hardLinkTo === undefined ? size : 0), 0);
  return { files: files.length, folders, others: entries.length - files.length - folders, bytes, failed: 0 };
}

function kitText(secret: Buffer, { authority }: RecoveryKey): string {
  const details = {
    tenantName: 'Test account',
    serverAddress: 'http://127.0.0.1:1',
    fingerprint: authorityFingerprint(authority.publicKey),
    created: '2026-01-01',
  };
  return formatKit(secret, details, 'en');
}
