import { domainKeys, type DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import { CofreError } from '@cofre/shared/errors';
import { ChunkOpener, JobWork, type JobWorker, type JobWriter } from './job-work.ts';
import type { RestoreJob } from './restore-job.ts';

/** Does jobs in this thread: for restores that are over before a thread has started. */
export class LocalJobWorker implements JobWorker {
  readonly #opener: ChunkOpener;
  readonly #underWay = new Set<JobWork>();
  #isClosed = false;

  constructor(domain: DomainSecrets) {
    this.#opener = new ChunkOpener(domainKeys(domain));
  }

  begin(job: RestoreJob): JobWriter {
    const work = new JobWork(job, this.#opener);
    this.#underWay.add(work);
    return {
      write: async (chunk) => {
        if (this.#isClosed) throw new CofreError('interrupted');
        if (chunk.lost === null) this.#opener.addPeriod(chunk.period);
        work.take(chunk.lost ?? chunk.blob);
      },
      end: async () => {
        this.#underWay.delete(work);
        return work.finish();
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const work of this.#underWay) work.giveUp();
    this.#underWay.clear();
  }
}
