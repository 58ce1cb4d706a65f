/** How many packs may be on their way at once, in all and for one tenant. */
export interface UploadBounds {
  readonly uploadsMax: number;
  readonly uploadsPerTenantMax: number;
}

interface Waiting {
  readonly tenantId: string;
  readonly start: () => void;
}

/**
 * Lets uploads begin in the order in which they came, but none of a tenant that has its share already. Those that wait
 * are not read, so that TCP holds their senders back and they cost no memory.
 */
export class UploadSlots {
  readonly #bounds: UploadBounds;
  readonly #runningByTenant = new Map<string, number>();
  #running = 0;
  #waiting: Waiting[] = [];

  constructor(bounds: UploadBounds) {
    this.#bounds = bounds;
  }

  /** Resolves when it is the upload's turn; the caller disposes of the slot in any case. */
  async take(tenantId: string): Promise<Disposable> {
    if (!this.#hasRoom(tenantId)) {
      await new Promise<void>((resolve) => this.#waiting.push({ tenantId, start: resolve }));
    } else {
      this.#count(tenantId, 1);
    }
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#count(tenantId, -1);
        this.#startWaiting();
      },
    };
  }

  #startWaiting(): void {
    this.#waiting = this.#waiting.filter(({ tenantId, start }) => {
      if (!this.#hasRoom(tenantId)) return true;
      this.#count(tenantId, 1);
      start();
      return false;
    });
  }

  #hasRoom(tenantId: string): boolean {
    const ofTenant = this.#runningByTenant.get(tenantId) ?? 0;
    return this.#running < this.#bounds.uploadsMax && ofTenant < this.#bounds.uploadsPerTenantMax;
  }

  #count(tenantId: string, change: 1 | -1): void {
    this.#running += change;
    const ofTenant = (this.#runningByTenant.get(tenantId) ?? 0) + change;
    if (ofTenant === 0) this.#runningByTenant.delete(tenantId);
    else this.#runningByTenant.set(tenantId, ofTenant);
  }
}
