const KIB = 1024;
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Bounds of signing in, of sessions of people and of the audit log; a part of `LIMITS`. */
export const PEOPLE_LIMITS = {
  // Passwords
  /** Long enough that throttled guessing is hopeless without a rule about kinds of characters. */
  passwordCharactersMin: 12,
  passwordCharactersMax: 256,
  /**
   * argon2id over RFC 9106's "memory constrained" setting in time, and over OWASP's least (19 MiB, 2 passes) in memory:
   * a third of a second of one core for us, and memory that a graphics card does not have for thousands at once.
   */
  passwordMemoryKib: 48 * KIB,
  passwordPasses: 2,
  passwordLanes: 1,
  /** At once: 96 MiB, and both cores of a small machine at most. */
  passwordHashesMax: 2,
  /** Waiting for their turn: some seconds. Others are told to come back, so that strangers can't pile up memory. */
  passwordHashesWaitingMax: 16,

  // Signing in
  /** Failures without a delay: somebody who mistypes. An address may stand for a whole office. */
  signInFreeFailures: 5,
  signInFreeFailuresByAddress: 20,
  signInDelayMs: SECOND_MS,
  signInDelayMaxMs: 15 * MINUTE_MS,
  /** Failures are forgotten when this has passed without another. */
  signInForgetMs: 24 * HOUR_MS,
  /** Accounts and addresses that are remembered: some hundred bytes each. */
  signInFailuresKeptMax: 10_000,
  /** Between the password and the second factor, and of a ceremony with a passkey. */
  ceremonyLifetimeMs: 5 * MINUTE_MS,
  ceremoniesMax: 2000,
  ceremonyFailuresMax: 5,
  recoveryCodes: 10,
  passkeysMax: 20,

  // Sessions of people
  personSessionIdleMs: 30 * MINUTE_MS,
  personSessionAgeMaxMs: 12 * HOUR_MS,
  /** How stale "last used" may be: each note of it syncs the disk. */
  personSessionNoteMs: MINUTE_MS,
  personSessionsMax: 20,
  /** What destroys or exports wants a proof that is no older. */
  freshProofMs: 10 * MINUTE_MS,

  // Links and tokens
  activationLifetimeMs: 7 * 24 * HOUR_MS,
  passwordResetLifetimeMs: 24 * HOUR_MS,
  firstRunTokenLifetimeMs: 24 * HOUR_MS,
  apiTokenLifetimeMaxMs: 366 * 24 * HOUR_MS,
  apiTokensMax: 50,
  memberDevicesMax: 100,

  // Audit
  /** The same look of the same person at the same tenant is written down once in this time. */
  auditLookMs: HOUR_MS,
  /** A device that reads goes on with the same restore for as long: entries by sessions, not by requests. */
  auditReadingMs: 12 * HOUR_MS,
  auditDetailCharactersMax: 300,
  /** Entries that one step of a verification or an export reads. */
  auditStepEntries: 500,
} as const;
