import type { ByteString } from '@cofre/shared/bytes';
import type { ExtendedAttribute } from '@cofre/shared/format/entry';

export const ACCESS_ACL = 'system.posix_acl_access' as ByteString;
export const DEFAULT_ACL = 'system.posix_acl_default' as ByteString;

const HEADER_BYTES = 4;
const RULE_BYTES = 8;
const TAG_OWNING_GROUP = 0x04;

/** Whether an attribute is an ACL, which interacts with the mode. */
export function isAcl({ name }: ExtendedAttribute): boolean {
  return name === ACCESS_ACL || name === DEFAULT_ACL;
}

/**
 * The mode that an object may have while its access ACL is not set yet. With an ACL the group bits hold the
 * mask, the most that anybody but owner and others may do; taken alone they would give that to the owning
 * group. So the group gets what both the mask and its own rule allow.
 */
export function modeWithoutAcl(mode: number, attributes: readonly ExtendedAttribute[]): number {
  const acl = attributes.find(({ name }) => name === ACCESS_ACL);
  if (acl === undefined) return mode;
  return (mode & ~0o070) | (mode & (owningGroupRights(acl.value) << 3));
}

/** Rights (0 to 7) of the owning group; none where the ACL doesn't say or is not understood. */
function owningGroupRights(acl: Uint8Array): number {
  const view = new DataView(acl.buffer, acl.byteOffset, acl.byteLength);
  for (let at = HEADER_BYTES; at + RULE_BYTES <= acl.byteLength; at += RULE_BYTES) {
    if (view.getUint16(at, true) === TAG_OWNING_GROUP) return view.getUint16(at + 2, true) & 7;
  }
  return 0;
}
