import { z } from 'zod';
import { tenantId, instant, personalName } from './fields.ts';
import { login, password, permission, role, secretToken, userId } from './people.ts';

/** Signing in, the session, and one's own ways in. */

export const firstRunRequest = z.strictObject({ token: secretToken, login, name: personalName, password });

export const signInRequest = z.strictObject({ login, password });

const TOTP_CODE = /^\d{6}$/;
const RECOVERY_CODE = /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/;
export const totpCode = z.string().regex(TOTP_CODE);

export const secondFactor = z.enum(['totp', 'recovery_code', 'passkey']);

/** Who is signed in, and what he may do. */
export const sessionInfo = z.object({
  userId,
  login: z.string(),
  name: z.string(),
  role,
  tenantId: tenantId.nullable(),
  permissions: z.array(permission),
  /** Nothing but one's own account can be used before there is one. */
  needsSecondFactor: z.boolean(),
  hasTotp: z.boolean(),
  passkeys: z.number().int(),
  recoveryCodesLeft: z.number().int(),
  /** Until then, what destroys or exports is open. Null for API tokens. */
  freshUntil: instant.nullable(),
  /** Null for API tokens. */
  sessionEnds: instant.nullable(),
});

/** The session is in the cookie; or a ticket asks for the second factor. */
export const signInAnswer = z.discriminatedUnion('state', [
  z.object({ state: z.literal('signed_in'), session: sessionInfo }),
  z.object({ state: z.literal('second_factor'), ticket: secretToken, factors: z.array(secondFactor) }),
]);

export const secondFactorRequest = z.strictObject({ ticket: secretToken, code: totpCode });
export const recoveryCodeRequest = z.strictObject({
  ticket: secretToken,
  code: z.string().trim().toLowerCase().regex(RECOVERY_CODE),
});

/** What `navigator.credentials` takes, with the name under which its answer comes back. */
export const passkeyOptions = z.object({ ceremony: secretToken, options: z.looseObject({}) });
const base64url = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(16_384);

/** What `navigator.credentials.get` gave, as its `toJSON` writes it. */
export const passkeyAssertion = z.strictObject({
  ceremony: secretToken,
  response: z.object({
    id: base64url,
    rawId: base64url,
    type: z.literal('public-key'),
    response: z.object({
      clientDataJSON: base64url,
      authenticatorData: base64url,
      signature: base64url,
      userHandle: base64url.optional(),
    }),
    clientExtensionResults: z.looseObject({}).default({}),
  }),
});

/** What `navigator.credentials.create` gave. */
export const passkeyRegistration = z.strictObject({
  ceremony: secretToken,
  name: personalName,
  response: z.object({
    id: base64url,
    rawId: base64url,
    type: z.literal('public-key'),
    response: z.object({
      clientDataJSON: base64url,
      attestationObject: base64url,
      transports: z.array(z.string().max(32)).max(8).optional(),
    }),
    clientExtensionResults: z.looseObject({}).default({}),
  }),
});

export const passkeyItem = z.object({
  passkeyId: z.string(),
  name: z.string(),
  created: instant,
  lastUsed: instant.nullable(),
});
export const passkeyList = z.object({ items: z.array(passkeyItem) });

/** A fresh proof: one of the three. */
export const freshProofRequest = z.union([
  z.strictObject({ password }),
  z.strictObject({ code: totpCode }),
  passkeyAssertion,
]);
export const freshProofAnswer = z.object({ freshUntil: instant });

export const changePasswordRequest = z.strictObject({ current: password, next: password });

/** A secret for an authenticator app; it counts once `confirm` has seen a code of it. */
export const totpBegun = z.object({ secret: z.string(), uri: z.string() });
export const totpConfirmRequest = z.strictObject({ code: totpCode });

/** Said once, and replaces earlier ones. */
export const recoveryCodes = z.object({ codes: z.array(z.string()) });

export const signOutQuery = z.object({ everywhere: z.enum(['true', 'false']).default('false') });

export type SessionInfo = z.output<typeof sessionInfo>;
export type SignInAnswer = z.output<typeof signInAnswer>;
export type SecondFactor = z.output<typeof secondFactor>;
export type PasskeyAssertion = z.output<typeof passkeyAssertion>;
export type PasskeyRegistration = z.output<typeof passkeyRegistration>;
export type PasskeyItem = z.output<typeof passkeyItem>;
export type FreshProof = z.output<typeof freshProofRequest>;
