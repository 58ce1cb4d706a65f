import type { TenantId } from '@cofre/shared/ids';
import { LIMITS } from '@cofre/shared/limits';
import type { AuditAction, AuditActor } from '@cofre/shared/wire/audit';
import type { Clock } from '../clock.ts';
import type { NewAuditEntry } from '../db/people-records.ts';
import type { PeopleStore } from '../db/people-store.ts';

/** From where something was asked. */
export interface Place {
  readonly address: string | null;
  readonly requestId: string | null;
}

/** On the host itself: the command line, and what the server does of its own accord. */
export const HOST: { readonly actor: AuditActor; readonly place: Place } = {
  actor: { kind: 'host', id: null, name: null, role: null },
  place: { address: null, requestId: null },
};

export const NOBODY: AuditActor = { kind: 'nobody', id: null, name: null, role: null };

/**
 * Something that happened. Details are ids, counts and short words: never a secret, never a name of a file, nothing of
 * what is kept.
 */
export interface AuditEvent {
  readonly actor: AuditActor;
  readonly place: Place;
  readonly action: AuditAction;
  /** Whose part of the log it is in; null: the provider's alone. */
  readonly tenantId: TenantId | null;
  readonly target?: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** Where services say what was done. The promise resolves when it is on disk. */
export interface AuditLog {
  record(...events: readonly AuditEvent[]): Promise<void>;
  /** The same look of the same person is written down once an hour. */
  recordLook(event: AuditEvent): Promise<void>;
  /** For who writes it in one transaction with what it tells. */
  entryOf(event: AuditEvent): NewAuditEntry;
}

/** The log in the appliance's database. */
export class StoredAuditLog implements AuditLog {
  readonly #store: PeopleStore;
  readonly #clock: Clock;
  readonly #looks = new Map<string, number>();

  constructor(store: PeopleStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async record(...events: readonly AuditEvent[]): Promise<void> {
    await this.#store.appendAudit(events.map((event) => this.entryOf(event)));
  }

  async recordLook(event: AuditEvent): Promise<void> {
    const nowMs = this.#clock();
    for (const [key, seenMs] of this.#looks) {
      if (nowMs - seenMs >= LIMITS.auditLookMs) this.#looks.delete(key);
    }
    const { actor, action, tenantId, target, details } = event;
    const key = JSON.stringify([actor.kind, actor.id, action, tenantId, target, details]);
    if (this.#looks.has(key)) return;
    await this.record(event);
    this.#looks.set(key, nowMs);
  }

  entryOf({ actor, place, action, tenantId, target, details = {} }: AuditEvent): NewAuditEntry {
    return {
      timeMs: this.#clock(),
      tenantId,
      actor,
      action,
      target: target === undefined ? null : short(target),
      details: Object.fromEntries(
        Object.entries(details).map(([name, value]) => [
          name,
          typeof value === 'string' ? short(value) : value,
        ]),
      ),
      ...place,
    };
  }
}

function short(text: string): string {
  return text.slice(0, LIMITS.auditDetailCharactersMax);
}
