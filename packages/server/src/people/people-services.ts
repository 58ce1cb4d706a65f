import type { AuditLog } from '../audit/audit-log.ts';
import type { AuditReader } from '../audit/audit-reader.ts';
import type { Passkeys } from '../auth/passkeys.ts';
import type { PersonAuthenticator } from '../auth/person-authenticator.ts';
import type { SignIn } from '../auth/sign-in.ts';
import type { Clock } from '../clock.ts';
import type { ApiTokens } from './api-tokens.ts';
import type { FirstRun } from './first-run.ts';
import type { Links } from './links.ts';
import type { OwnAccount } from './own-account.ts';
import type { People } from './people.ts';

/** Everything that routes for people call. */
export interface PeopleServices {
  readonly authenticator: PersonAuthenticator;
  readonly signIn: SignIn;
  readonly passkeys: Passkeys;
  readonly account: OwnAccount;
  readonly people: People;
  readonly links: Links;
  readonly firstRun: FirstRun;
  readonly tokens: ApiTokens;
  readonly audit: AuditLog;
  readonly auditReader: AuditReader;
  readonly clock: Clock;
  /** Of our own pages: the public address. @throws CofreError `settings_invalid` */
  readonly origin: () => string;
}
