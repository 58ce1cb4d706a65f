import type { DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import type { DeviceId, TenantId } from '@cofre/shared/ids';
import type { SigningKey } from '@cofre/shared/signature';
import type { ServerClient } from '../client/server-client.ts';

/**
 * Who this computer is. Kept apart from the cache, which may be deleted at any time; none of it opens what
 * was sent before.
 */
export interface DeviceIdentity {
  /** Origin of the server. */
  readonly address: string;
  /** SHA-256 of the server's certificate (hexadecimal), null for plain http on loopback. */
  readonly certificatePin: string | null;
  readonly tenantId: TenantId;
  readonly tenantName: string;
  readonly deviceId: DeviceId;
  /** Secret of the credential, 32 bytes in base64url: the bearer part after `DEVICE.`. */
  readonly credentialSecret: string;
  readonly signingKey: SigningKey;
  /** Authority pinned at enrolment: Ed25519 public key, hexadecimal. */
  readonly authorityKey: string;
  /** Names and cuts content; opens nothing. */
  readonly domain: DomainSecrets;
}

/** What the commands of an enrolled agent work with. */
export interface AgentContext {
  readonly identity: DeviceIdentity;
  readonly client: ServerClient;
  /** Identity and settings. */
  readonly stateFolder: string;
  /** May be deleted at any time: losing it costs one re-read of the source. */
  readonly cacheFolder: string;
}
