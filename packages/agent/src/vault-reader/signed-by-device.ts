import { CofreError } from '@cofre/shared/errors';
import type { RosterDevice } from '@cofre/shared/format/envelope/roster';
import {
  decodeSignedObject,
  openSignedObject,
  type SignedKind,
} from '@cofre/shared/format/envelope/signed-object';
import type { DeviceId } from '@cofre/shared/ids';
import type { ConfirmedRoster } from './confirmed-roster.ts';

/** What a signed object says, and the device of the roster that stands for it. */
export interface VouchedFor<Content> {
  readonly content: Content;
  readonly device: RosterDevice;
}

/**
 * Opens an object that names the device which made it, and checks that the roster knows this device and that
 * it signed the object.
 * @param decode reads the payload
 * @throws CofreError `untrusted` when the roster does not cover it, `damaged` or `unknown_format`
 */
export function openSignedByDevice<Content extends { readonly deviceId: DeviceId }>(
  object: Uint8Array,
  kind: SignedKind,
  decode: (payload: Uint8Array) => Content,
  roster: ConfirmedRoster,
): VouchedFor<Content> {
  const content = decode(decodeSignedObject(object, kind).payload);
  const device = roster.device(content.deviceId);
  if (device === null) {
    throw new CofreError('untrusted', { what: `a ${kind} object`, problem: 'its device is not known' });
  }
  openSignedObject(object, kind, Buffer.from(device.signingKey, 'hex'));
  return { content, device };
}
