import { CatalogReader, type FetchNodes } from '@cofre/shared/catalog/catalog-reader';
import type { OnLost } from '@cofre/shared/catalog/lost-range';
import { openBlob } from '@cofre/shared/crypto/blob-cipher';
import { domainKeys, type DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { CofreError } from '@cofre/shared/errors';
import { readBlobHeader } from '@cofre/shared/format/envelope/blob';
import { decodeSnapshotInfo, type SnapshotInfo } from '@cofre/shared/format/snapshot-info';
import type { DeviceId, DomainId, SetId } from '@cofre/shared/ids';
import type { ServerClient } from '../client/server-client.ts';
import type { AgentContext } from '../state/agent-context.ts';
import type { ConfirmedRoster } from './confirmed-roster.ts';
import { Domains } from './domains.ts';
import { Keyring } from './keyring.ts';
import { nodeSource } from './node-source.ts';
import { openTrust, type Kit, type OpenedTrust } from './open-trust.ts';
import { resolveSnapshot } from './resolve-snapshot.ts';
import { listSnapshots } from './snapshot-list.ts';
import type { ReadableSnapshot, Snapshot } from './snapshot.ts';

/** Which snapshot a command is about, as somebody types it. */
export interface SnapshotArgument {
  /** An id, a unique beginning of one, or `latest`. */
  readonly snapshot: string;
  /** For `latest`: id of a device, or its name as the server has it. */
  readonly device?: string | undefined;
  /** For `latest`: name of a backup set. */
  readonly set?: string | undefined;
  /** Take a snapshot that no device of the roster vouches for, when it is named by its id. */
  readonly allowUnconfirmed?: boolean | undefined;
}

/** A tenant's vault, opened with the recovery key: everything in it can be read. */
export class VaultReader {
  readonly client: ServerClient;
  readonly roster: ConfirmedRoster;
  readonly keyring: Keyring;
  readonly #ownDeviceId: DeviceId;
  readonly #trust: OpenedTrust;
  readonly #domains: Domains;
  readonly #nodes = new Map<DomainId, FetchNodes>();

  private constructor(context: AgentContext, trust: OpenedTrust) {
    this.client = context.client;
    this.roster = trust.roster;
    this.keyring = new Keyring(context.client, trust);
    this.#ownDeviceId = context.identity.deviceId;
    this.#trust = trust;
    this.#domains = new Domains(context.client, trust);
  }

  /** @throws CofreError as `openTrust` */
  static async open(context: AgentContext, kit: Kit): Promise<VaultReader> {
    return new VaultReader(context, await openTrust(context, kit));
  }

  /** All snapshots of the tenant, also those that are not to be trusted. */
  async snapshots(): Promise<Snapshot[]> {
    await this.ensureGranted();
    return await listSnapshots(this.client, this.roster);
  }

  /** @throws CofreError as `resolveSnapshot`; `not_found` or `ambiguous` for the name of a device */
  async resolve(argument: SnapshotArgument): Promise<ReadableSnapshot> {
    const snapshots = await this.snapshots();
    const { snapshot, device, set, allowUnconfirmed = false } = argument;
    const deviceId = device === undefined ? undefined : await this.#findDevice(device);
    const isOfSet = set === undefined ? undefined : await this.#setMatcher(snapshots, set);
    const options = { ownDeviceId: this.#ownDeviceId, allowUnconfirmed };
    return resolveSnapshot(snapshots, { snapshot, deviceId, isOfSet }, options);
  }

  /** The secrets of a snapshot's domain, for whoever opens its chunks. */
  async domainSecrets({ manifest }: ReadableSnapshot): Promise<DomainSecrets> {
    return await this.#domains.secrets(manifest.domainId);
  }

  /** @param onLost as {@link CatalogReader} takes it */
  async catalog(snapshot: ReadableSnapshot, onLost: OnLost | null = null): Promise<CatalogReader> {
    return new CatalogReader(snapshot.manifest.catalogRoot, await this.nodes(snapshot), onLost);
  }

  /** Brings nodes of the snapshot's domain; snapshots of one domain share the cache. */
  async nodes(snapshot: ReadableSnapshot): Promise<FetchNodes> {
    const { domainId } = snapshot.manifest;
    const known = this.#nodes.get(domainId);
    if (known !== undefined) return known;
    const keys = domainKeys(await this.domainSecrets(snapshot));
    const nodes = nodeSource(this.client, keys, this.keyring, () => this.ensureGranted());
    this.#nodes.set(domainId, nodes);
    return nodes;
  }

  /**
   * What only the customer may know about a snapshot: names of set and computer, paths.
   * @throws CofreError `damaged`, `wrong_key`
   */
  async info(snapshot: ReadableSnapshot): Promise<SnapshotInfo> {
    const { sealedInfo } = snapshot.manifest;
    const { type, keyPeriodId } = readBlobHeader(sealedInfo);
    if (type !== 'info') throw new CofreError('damaged', { what: 'A manifest', problem: 'its info is none' });
    await this.keyring.period(keyPeriodId);
    const keys = domainKeys(await this.domainSecrets(snapshot));
    return decodeSnapshotInfo(openBlob(sealedInfo, keys, this.keyring.find));
  }

  /** To be called before long work goes on: the permission to read the whole tenant has an end. */
  async ensureGranted(): Promise<void> {
    await this.#trust.grant.ensure();
  }

  async #findDevice(wanted: string): Promise<DeviceId> {
    if (this.roster.device(wanted as DeviceId) !== null) return wanted as DeviceId;
    const named = (await this.client.devices()).filter(({ name }) => name === wanted);
    const [first, second] = named;
    if (first === undefined) throw new CofreError('not_found', { what: `device "${wanted}"` });
    if (second !== undefined) throw new CofreError('ambiguous', { what: `The device name "${wanted}"` });
    return first.deviceId;
  }

  /** Ids of sets are made from their names with a key of the domain: each domain has its own for a name. */
  async #setMatcher(snapshots: readonly Snapshot[], name: string) {
    const domainIds = new Set<DomainId>();
    for (const { standing, manifest } of snapshots) {
      if (standing === 'confirmed' && manifest !== null) domainIds.add(manifest.domainId);
    }
    const setIds = new Set<SetId>();
    for (const domainId of domainIds) {
      setIds.add(domainKeys(await this.#domains.secrets(domainId)).setId(name));
    }
    return (setId: SetId) => setIds.has(setId);
  }
}
