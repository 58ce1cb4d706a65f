import { z } from 'zod';
import { quotaWarning } from './tenant-state.ts';
import { deviceId, hex32, personalName, tenantId } from './fields.ts';

/**
 * `POST /v1/enroll`: a computer joins with the one-time code. The device makes its credential itself and
 * sends only its hash, so the call is safe to repeat: same code and same signing key, same device.
 */
export const enrolRequest = z.object({
  code: z.string().min(20).max(64),
  name: personalName,
  platform: z.string().max(64),
  agentVersion: z.string().max(32),
  /** Ed25519 public key. */
  signingKey: hex32,
  /** age recipient of the device's inbox. */
  inbox: z.string().max(4096),
  /** SHA-256 of the credential's secret (32 bytes). */
  credentialHash: hex32,
});

export const enrolResponse = z.object({
  tenantId,
  tenantName: z.string(),
  deviceId,
  /** False for the first device of a tenant, which makes the recovery key. */
  hasAuthority: z.boolean(),
});

/** `GET /v1/device`: what a device may know about itself and its tenant. */
export const deviceStatus = z.object({
  tenantId,
  tenantName: z.string(),
  deviceId,
  deviceName: z.string(),
  isSuspended: z.boolean(),
  quotaBytes: z.number().int(),
  usedBytes: z.number().int(),
  /** Null while less than 80 % of the quota is used. */
  quotaWarning: quotaWarning.nullable().optional(),
  serverVersion: z.string(),
  serviceTime: z.iso.datetime(),
});

/**
 * Devices authenticate with `Authorization: Cofre DEVICE.SECRET` (device id, and 32 bytes in base64url).
 */
export const AUTHORIZATION_SCHEME = 'Cofre';

export type EnrolRequest = z.input<typeof enrolRequest>;
export type EnrolResponse = z.output<typeof enrolResponse>;
export type DeviceStatus = z.output<typeof deviceStatus>;
