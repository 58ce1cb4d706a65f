import { InvalidArgumentError } from 'commander';
import { createTenantRequest } from '@cofre/shared/wire/administration';
import { LIMITS } from '@cofre/shared/limits';

/** The name of a customer. */
export function parseName(text: string): string {
  const { data } = createTenantRequest.shape.name.safeParse(text);
  if (data === undefined) {
    throw new InvalidArgumentError(
      `A name has 1 to ${LIMITS.nameCharactersMax} characters, none of control.`,
    );
  }
  return data;
}

/** A quota in modules. */
export function parseModules(text: string): number {
  const { data } = createTenantRequest.shape.modules.safeParse(text === '' ? Number.NaN : Number(text));
  if (data === undefined) {
    throw new InvalidArgumentError(`It is a whole number from 1 to ${LIMITS.quotaModulesMax}.`);
  }
  return data;
}
