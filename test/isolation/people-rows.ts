import type { TenantId, UserId } from '@cofre/shared/ids';
import type { Permission } from '@cofre/shared/wire/people';
import type { HttpQuestion } from '../builders/http-client.ts';

/** What a question about people names: things of the asker's own tenant, of another, or of nobody. */
export interface PeopleNames {
  readonly user: UserId;
  readonly token: string;
  readonly passkey: string;
  readonly tenant: TenantId;
}

export interface PeopleRow {
  readonly ask: (names: PeopleNames) => HttpQuestion;
  /**
   * `open`: wants no session. `own`: whoever is signed in, about himself. A permission: whoever has it, and whether what
   * is named may be of another tenant.
   */
  readonly who: 'open' | 'own' | Permission;
  /** Whether the question names something that somebody else may own. */
  readonly names?: 'user' | 'tenant' | 'own thing';
}

const question =
  (method: string, path: (names: PeopleNames) => string, body?: (names: PeopleNames) => object) =>
  (names: PeopleNames): HttpQuestion => ({ method, path: path(names), body: body?.(names) });

const assertion = {
  ceremony: 'A'.repeat(43),
  response: {
    id: 'AA',
    rawId: 'AA',
    type: 'public-key',
    clientExtensionResults: {},
    response: { clientDataJSON: 'AA', authenticatorData: 'AA', signature: 'AA' },
  },
};

const registration = {
  ceremony: 'A'.repeat(43),
  name: 'key',
  response: {
    id: 'AA',
    rawId: 'AA',
    type: 'public-key',
    clientExtensionResults: {},
    response: { clientDataJSON: 'AA', attestationObject: 'AA' },
  },
};

const token = 'A'.repeat(43);
const post = (path: string, body?: object) =>
  question('POST', () => path, body === undefined ? undefined : () => body);

let invited = 0;

/** Every route for people, as `/openapi.json` writes none: with the parameters of the router. */
export const PEOPLE_ROWS: Record<string, PeopleRow> = {
  'POST /v1/first-run': {
    ask: post('/v1/first-run', { token, login: 'x', name: 'X', password: 'a long password 12' }),
    who: 'open',
  },
  'POST /v1/sign-in/password': {
    ask: post('/v1/sign-in/password', { login: 'nobody', password: 'x' }),
    who: 'open',
  },
  'POST /v1/sign-in/totp': { ask: post('/v1/sign-in/totp', { ticket: token, code: '000000' }), who: 'open' },
  'POST /v1/sign-in/recovery-code': {
    ask: post('/v1/sign-in/recovery-code', { ticket: token, code: 'aaaa-aaaa-aaaa-aaaa' }),
    who: 'open',
  },
  'POST /v1/sign-in/passkey/options': { ask: post('/v1/sign-in/passkey/options'), who: 'open' },
  'POST /v1/sign-in/passkey': { ask: post('/v1/sign-in/passkey', assertion), who: 'open' },
  'POST /v1/invitations/accept': {
    ask: post('/v1/invitations/accept', { token, password: 'a long password 12' }),
    who: 'open',
  },
  'GET /v1/session': { ask: question('GET', () => '/v1/session'), who: 'own' },
  'DELETE /v1/session': { ask: question('DELETE', () => '/v1/session'), who: 'own' },
  'POST /v1/session/proof': { ask: post('/v1/session/proof', { code: '000000' }), who: 'own' },
  'POST /v1/session/proof/passkey-options': { ask: post('/v1/session/proof/passkey-options'), who: 'own' },
  'PUT /v1/session/password': {
    ask: question(
      'PUT',
      () => '/v1/session/password',
      () => ({ current: 'x', next: 'a long password 12' }),
    ),
    who: 'own',
  },
  'POST /v1/session/totp': { ask: post('/v1/session/totp'), who: 'own' },
  'PUT /v1/session/totp': {
    ask: question(
      'PUT',
      () => '/v1/session/totp',
      () => ({ code: '000000' }),
    ),
    who: 'own',
  },
  'DELETE /v1/session/totp': { ask: question('DELETE', () => '/v1/session/totp'), who: 'own' },
  'POST /v1/session/recovery-codes': { ask: post('/v1/session/recovery-codes'), who: 'own' },
  'GET /v1/session/passkeys': { ask: question('GET', () => '/v1/session/passkeys'), who: 'own' },
  'POST /v1/session/passkeys/options': { ask: post('/v1/session/passkeys/options'), who: 'own' },
  'POST /v1/session/passkeys': { ask: post('/v1/session/passkeys', registration), who: 'own' },
  'DELETE /v1/session/passkeys/:id': {
    ask: question('DELETE', ({ passkey }) => `/v1/session/passkeys/${passkey}`),
    who: 'own',
    names: 'own thing',
  },
  'GET /v1/users': {
    ask: question('GET', ({ tenant }) => `/v1/users?tenant=${tenant}`),
    who: 'users.read',
    names: 'tenant',
  },
  'GET /v1/users/:id': {
    ask: question('GET', ({ user }) => `/v1/users/${user}`),
    who: 'users.read',
    names: 'user',
  },
  'PUT /v1/users/:id': {
    ask: question(
      'PUT',
      ({ user }) => `/v1/users/${user}`,
      () => ({ name: 'New', role: 'tenant_member', isDisabled: false }),
    ),
    who: 'users.manage',
    names: 'user',
  },
  'POST /v1/users/:id/password-reset': {
    ask: question(
      'POST',
      ({ user }) => `/v1/users/${user}/password-reset`,
      () => ({}),
    ),
    who: 'users.manage',
    names: 'user',
  },
  'POST /v1/invitations': {
    ask: question(
      'POST',
      () => '/v1/invitations',
      ({ tenant }) => ({ login: `i${(invited += 1)}`, name: 'I', role: 'tenant_member', tenant }),
    ),
    who: 'users.manage',
    names: 'tenant',
  },
  'GET /v1/api-tokens': { ask: question('GET', () => '/v1/api-tokens'), who: 'own' },
  'POST /v1/api-tokens': {
    ask: post('/v1/api-tokens', { name: 'x', scopes: ['restore'], expires: '2000-01-01T00:00:00Z' }),
    who: 'own',
  },
  'DELETE /v1/api-tokens/:id': {
    ask: question('DELETE', (names) => `/v1/api-tokens/${names.token}`),
    who: 'own',
    names: 'own thing',
  },
  'GET /v1/audit': {
    ask: question('GET', ({ tenant }) => `/v1/audit?tenant=${tenant}`),
    who: 'audit.read',
    names: 'tenant',
  },
  'GET /v1/audit/export': {
    ask: question('GET', ({ tenant }) => `/v1/audit/export?tenant=${tenant}`),
    who: 'audit.export',
    names: 'tenant',
  },
};
