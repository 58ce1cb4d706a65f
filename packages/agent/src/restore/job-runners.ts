import { availableParallelism } from 'node:os';
import type { DomainSecrets } from '@cofre/shared/crypto/domain-keys';
import type { ClientSettings } from '../client/server-client.ts';
import type { AgentContext } from '../state/agent-context.ts';
import type { VaultReader } from '../vault-reader/vault-reader.ts';
import type { RunsJobs } from './job-pool.ts';
import { JobRunnerHere } from './job-runner-here.ts';
import { JobThread } from './job-thread.ts';

/** A thread costs some 30 MB and its buffers; more than these would pass the agent's memory. */
const THREADS_MAX = 4;
const THREADS_MIN = 2;
/** Below both, a restore is over sooner than threads have started. */
const SMALL = { bytes: 32 * 1024 * 1024, files: 1000 } as const;

/** What runs jobs on chunks of one domain: threads, or this thread when there is little to do. */
export function jobRunnersFor(
  context: AgentContext,
  vault: VaultReader,
  domain: DomainSecrets,
  { files, bytes }: { readonly files: number; readonly bytes: number },
): RunsJobs[] {
  if (bytes <= SMALL.bytes && files <= SMALL.files) return [new JobRunnerHere(vault, domain)];
  const count = Math.max(THREADS_MIN, Math.min(THREADS_MAX, availableParallelism()));
  const settings = { client: clientSettings(context), domain };
  const period = vault.keyring.period.bind(vault.keyring);
  return Array.from({ length: count }, () => new JobThread({ settings, period }));
}

/** What a thread needs to connect as this device. */
function clientSettings({ identity }: AgentContext): ClientSettings {
  const { address, certificatePin, deviceId, credentialSecret } = identity;
  return { address, certificatePin, credential: `${deviceId}.${credentialSecret}` };
}
