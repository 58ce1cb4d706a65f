import { LIMITS } from '@cofre/shared/limits';
import { newOneTimeCode } from '../tenancy/one-time-code.ts';

const GROUPS = /.{4}/g;
const CHARACTERS = 16;

/** Codes for who has lost the second factor: 80 random bits each, so that a plain hash keeps them. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: LIMITS.recoveryCodes }, () =>
    (newOneTimeCode().slice(0, CHARACTERS).match(GROUPS) ?? []).join('-'),
  );
}
