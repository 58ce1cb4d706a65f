import { StoredAuditLog } from './audit/audit-log.ts';
import { AuditReader } from './audit/audit-reader.ts';
import { Passkeys } from './auth/passkeys.ts';
import { PasswordHashes, type PasswordCost } from './auth/password-hashes.ts';
import { PersonAuthenticator } from './auth/person-authenticator.ts';
import { Proofs } from './auth/proofs.ts';
import { SignIn } from './auth/sign-in.ts';
import { SignInThrottle } from './auth/sign-in-throttle.ts';
import type { Clock } from './clock.ts';
import type { PeopleStore } from './db/people-store.ts';
import { ApiTokens } from './people/api-tokens.ts';
import { FirstRun } from './people/first-run.ts';
import { Links } from './people/links.ts';
import { OwnAccount } from './people/own-account.ts';
import type { PeopleServices } from './people/people-services.ts';
import { People } from './people/people.ts';

export interface PeopleParts {
  readonly store: PeopleStore;
  readonly clock: Clock;
  /** The public address, known once the server listens. */
  readonly origin: () => string;
  /** Of a password's hash, where it is not the usual. */
  readonly passwordCost?: PasswordCost;
}

/** Puts together what people need to sign in, and what they administer people with. */
export function createPeople({ store, clock, origin, passwordCost }: PeopleParts): PeopleServices {
  const audit = new StoredAuditLog(store, clock);
  const hashes = new PasswordHashes(passwordCost);
  const passkeys = new Passkeys(store, clock, origin);
  const proofs = new Proofs(store, hashes, passkeys, clock);
  const throttle = new SignInThrottle(clock);
  const shared = { store, audit, clock, hashes, throttle, proofs, passkeys };
  const signIn = new SignIn(shared);
  return {
    audit,
    clock,
    origin,
    passkeys,
    signIn,
    authenticator: new PersonAuthenticator(store, clock),
    auditReader: new AuditReader(store, audit),
    account: new OwnAccount(shared),
    people: new People({ store, audit, clock, origin }),
    links: new Links(shared),
    firstRun: new FirstRun({ ...shared, signIn }),
    tokens: new ApiTokens(shared),
  };
}
