import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import type { AuthenticatedDevice } from '../auth/authenticated-device.ts';
import type { AuthenticatedPerson } from '../auth/authenticated-person.ts';
import type { Log } from '../log.ts';
import type { Vault } from '../vault/vault.ts';

/** What a request carries on its way through the routes. */
export interface ServerEnvironment {
  Bindings: { incoming: IncomingMessage; outgoing: ServerResponse };
  Variables: {
    requestId: string;
    log: Log;
    /** Set by the device guard; routes behind it alone may use it. */
    device: AuthenticatedDevice;
    /** The vault of the device's tenant, set by the device guard. */
    vault: Vault;
    /** Set by the guard of people; routes behind it alone may use it. */
    person: AuthenticatedPerson;
    /** Of the problem that was answered, for the log. */
    problemCode: string;
  };
}

export type RequestContext = Context<ServerEnvironment>;
export type Middleware = MiddlewareHandler<ServerEnvironment>;
