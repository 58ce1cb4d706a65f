import type { ApplianceCopy } from '@cofre/shared/wire/appliance-copies';

/** Copies of the appliance's own database: the list of tenants, and the computers that may come in. */
export interface CopiesAdministration {
  /** @throws CofreError `storage_full`, `settings_invalid` when the second place does not take it */
  copyDirectory(): Promise<ApplianceCopy>;
  /** The newest first. */
  listCopies(): Promise<ApplianceCopy[]>;
}
