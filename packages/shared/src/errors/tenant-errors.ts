import { EXIT } from './exit-codes.ts';

/** Failures of what the provider does with tenants; a part of the catalogue. */
export const TENANT_ERRORS = {
  quota_below_use: {
    http: 409,
    exit: EXIT.failed,
    en: [
      'The tenant uses {used}, which is more than {quota}.',
      'Give it time to take less with --grace DAYS, or leave at least {modules} modules.',
    ],
    es: [
      'El cliente usa {used}, más que {quota}.',
      'Déle tiempo para reducir con --grace DÍAS, o deje al menos {modules} módulos.',
    ],
  },
  deletion_scheduled: {
    http: 409,
    exit: EXIT.failed,
    en: ['The tenant is to be deleted on {due}.', 'Keep it first: cofre-server tenant undelete.'],
    es: ['El cliente se eliminará el {due}.', 'Consérvelo primero: cofre-server tenant undelete.'],
  },
} as const;
