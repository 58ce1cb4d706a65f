import { expect, test } from 'vitest';
import { PERMISSIONS, type Permission, type Role } from '@cofre/shared/wire/people';
import { permissionsOf, wantsFreshProof } from './permissions.ts';

/** The table once more, as a person would read it: P admin, P operator, auditor, T admin, T member. */
const EXPECTED: Record<Permission, string> = {
  'audit.read': 'x x x x -',
  'audit.export': 'x - x x -',
  'users.read': 'x x - x -',
  'users.manage': 'x - - x -',
  'tenants.read': 'x x - - -',
  'tenants.manage': 'x - - - -',
  'tenants.destroy': 'x - - - -',
  'tenants.export': 'x - - - -',
  'devices.read': 'x x - x -',
  'devices.manage': 'x - - x -',
  'devices.revoke': 'x - - x -',
  'snapshots.read': 'x x - x x',
  'snapshots.delete': 'x - - x -',
  'retention.manage': 'x - - x -',
  restore: '- - - x x',
  'storage.read': 'x x - - -',
  'storage.manage': 'x - - - -',
};

const ROLES: Role[] = ['provider_admin', 'provider_operator', 'auditor', 'tenant_admin', 'tenant_member'];

test.each(PERMISSIONS)('%s is given to whom it should be', (permission) => {
  const given = ROLES.map((role) => (permissionsOf(role).includes(permission) ? 'x' : '-'));
  expect(given.join(' ')).toBe(EXPECTED[permission]);
});

test('what destroys, exports or lets somebody in wants a fresh proof, and what only reads does not', () => {
  expect(PERMISSIONS.filter(wantsFreshProof)).toEqual([
    'audit.export',
    'users.manage',
    'tenants.destroy',
    'tenants.export',
    'devices.revoke',
    'snapshots.delete',
  ]);
});
