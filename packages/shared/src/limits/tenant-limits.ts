const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** How full a quota is when it is said, in percent. */
export const QUOTA_WARNING_PERCENTS = [80, 90, 100] as const;

/** Bounds of what the provider notes about tenants; a part of `LIMITS`. */
export const TENANT_LIMITS = {
  contactsMax: 50,
  contactMailCharactersMax: 254,
  contactPhoneCharactersMax: 50,
  contactNoteCharactersMax: 1000,
  /** So long a contact counts as right; then somebody asks again. */
  contactConfirmMs: 365 * DAY_MS,

  /** From the announcement of a lower quota on: a year is enough to take less. */
  quotaGraceDaysMax: 366,

  /** A tenant is deleted this long after it was asked for, unless locks of its snapshots last longer. */
  tenantDeletionDelayDefaultDays: 30,
  /** A mistake can be noticed. */
  tenantDeletionDelayDaysMin: 1,
  tenantDeletionDelayDaysMax: 3650,

  /** Days of the history of use that one question may span: a year, and what two readings of it overlap. */
  usageDaysMax: 400,
  usageDaysDefault: 31,
} as const;
