import type { DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import type { JobWorker } from './job-work.ts';
import { JobThread } from './job-thread.ts';
import { LocalJobWorker } from './local-job-worker.ts';

/**
 * Two threads open and write about 1 GB/s of content, which is more than most disks and networks give; each
 * further one would cost some 30 MB of the agent's memory.
 */
const THREADS = 2;
/** Below both, a restore is over sooner than threads have started. */
const SMALL = { bytes: 32 * 1024 * 1024, files: 1000 } as const;

/** What does jobs on chunks of one domain: threads, or this thread when there is little to do. */
export function jobWorkersFor(
  domain: DomainSecrets,
  { files, bytes }: { readonly files: number; readonly bytes: number },
): JobWorker[] {
  if (bytes <= SMALL.bytes && files <= SMALL.files) return [new LocalJobWorker(domain)];
  return Array.from({ length: THREADS }, () => new JobThread(domain));
}
