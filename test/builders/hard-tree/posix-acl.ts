/** Rights are 0 to 7 as in a mode; users and groups by number. */
export interface Acl {
  readonly owner: number;
  readonly users: Readonly<Record<number, number>>;
  readonly group: number;
  readonly groups: Readonly<Record<number, number>>;
  readonly mask: number;
  readonly others: number;
}

const VERSION = 2;
const TAG = { owner: 0x01, user: 0x02, group: 0x04, namedGroup: 0x08, mask: 0x10, others: 0x20 } as const;
const NO_ID = 0xffffffff;
const HEADER_BYTES = 4;
const RULE_BYTES = 8;

/** An ACL as the kernel keeps it in `system.posix_acl_*`: little endian, entries in the order of their tags. */
export function aclBytes(acl: Acl): Buffer {
  const rules = [
    [TAG.owner, acl.owner, NO_ID],
    ...Object.entries(acl.users).map(([id, rights]) => [TAG.user, rights, Number(id)] as const),
    [TAG.group, acl.group, NO_ID],
    ...Object.entries(acl.groups).map(([id, rights]) => [TAG.namedGroup, rights, Number(id)] as const),
    [TAG.mask, acl.mask, NO_ID],
    [TAG.others, acl.others, NO_ID],
  ] as const;
  const bytes = Buffer.alloc(HEADER_BYTES + RULE_BYTES * rules.length);
  bytes.writeUInt32LE(VERSION, 0);
  for (const [at, [tag, rights, id]] of rules.entries()) {
    const start = HEADER_BYTES + RULE_BYTES * at;
    bytes.writeUInt16LE(tag, start);
    bytes.writeUInt16LE(rights, start + 2);
    bytes.writeUInt32LE(id, start + 4);
  }
  return bytes;
}
