import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { tenantItem } from './administration.ts';
import { byteCount, instant, personalName, tenantId } from './fields.ts';

/** What the provider does with a tenant once it is there. */

const oneLine = (charactersMax: number) =>
  z
    .string()
    .trim()
    .max(charactersMax)
    .regex(/^\P{Cc}*$/u);

const contactFields = {
  name: personalName,
  mail: z.union([z.literal(''), z.email().max(LIMITS.contactMailCharactersMax)]),
  phone: oneLine(LIMITS.contactPhoneCharactersMax),
  note: oneLine(LIMITS.contactNoteCharactersMax),
  isMain: z.boolean(),
};

export const newContactRequest = z.object({
  ...contactFields,
  mail: contactFields.mail.default(''),
  phone: contactFields.phone.default(''),
  note: contactFields.note.default(''),
  isMain: contactFields.isMain.default(false),
});

/** What is not given stays. Without anything it says that the contact is still right. */
export const changeContactRequest = z.object({
  name: contactFields.name.optional(),
  mail: contactFields.mail.optional(),
  phone: contactFields.phone.optional(),
  note: contactFields.note.optional(),
  /** Another one stays the main one until it is said of this. */
  isMain: z.literal(true).optional(),
});

export const tenantContact = z.object({
  contactId: z.string(),
  name: z.string(),
  mail: z.string(),
  phone: z.string(),
  note: z.string(),
  isMain: z.boolean(),
  /** When somebody last asked whether this is still right, and when to ask again. */
  confirmed: instant,
  confirmBefore: instant,
  isDue: z.boolean(),
});

export const tenantDetail = z.object({
  tenant: tenantItem,
  contacts: z.array(tenantContact),
});

export const renameTenantRequest = z.object({ name: personalName });

export const modulesRequest = z.object({
  modules: z.number().int().min(1).max(LIMITS.quotaModulesMax),
  /** In so many days the lower quota is in force, whatever is used then. */
  graceDays: z.number().int().min(1).max(LIMITS.quotaGraceDaysMax).optional(),
});

export const deleteTenantRequest = z.object({
  days: z
    .number()
    .int()
    .min(LIMITS.tenantDeletionDelayDaysMin)
    .max(LIMITS.tenantDeletionDelayDaysMax)
    .default(LIMITS.tenantDeletionDelayDefaultDays),
});

/** A day in UTC, such as 2026-03-04. */
export const day = z.iso.date();

/** Both days are included. Without them: the last ones up to today. */
export const usageQuery = z.object({ from: day.optional(), to: day.optional() });

/** What a tenant used and had on a day; a day on which the server did not run has no row. */
export const usageDay = z.object({
  tenantId,
  tenantName: z.string(),
  managementCode: z.string().nullable(),
  day,
  usedBytesMax: byteCount,
  /** These three as they were when the day was looked at last: every hour. */
  usedBytes: byteCount,
  quotaBytes: byteCount,
  devices: z.number().int(),
});

export const usageList = z.object({ items: z.array(usageDay) });

export type NewContactRequest = z.output<typeof newContactRequest>;
export type ChangeContactRequest = z.output<typeof changeContactRequest>;
export type TenantContact = z.output<typeof tenantContact>;
export type TenantDetail = z.output<typeof tenantDetail>;
export type ModulesRequest = z.output<typeof modulesRequest>;
export type DeleteTenantRequest = z.output<typeof deleteTenantRequest>;
export type UsageQuery = z.output<typeof usageQuery>;
export type UsageDay = z.output<typeof usageDay>;
