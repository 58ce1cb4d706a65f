import { domainKeys, type DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { periodKeys } from '@cofre/shared/crypto/key-period';
import type { VaultReader } from '../vault-reader/vault-reader.ts';
import type { RunsJobs } from './job-pool.ts';
import { JobRunner } from './job-runner.ts';
import type { RestoreJob, RestoreJobResult } from './restore-job.ts';

/** Runs jobs in this thread: for restores that are over before a thread has started. */
export class JobRunnerHere implements RunsJobs {
  readonly #runner: JobRunner;
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(vault: VaultReader, domain: DomainSecrets) {
    this.#runner = new JobRunner({
      client: vault.client,
      domain: domainKeys(domain),
      periodKeys: (header) =>
        vault.keyring.find(header) ?? vault.keyring.period(header.keyPeriodId).then(periodKeys),
    });
  }

  async run(job: RestoreJob): Promise<RestoreJobResult> {
    const run = this.#runner.run(job, this.#stopping.signal);
    this.#running.add(run);
    try {
      return await run;
    } finally {
      this.#running.delete(run);
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled(this.#running);
  }
}
