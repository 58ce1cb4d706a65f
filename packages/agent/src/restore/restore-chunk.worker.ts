import { parentPort, workerData } from 'node:worker_threads';
import { domainKeys } from '@cofre/shared/crypto/domain-keys';
import { periodKeys, type KeyPeriod, type PeriodKeys } from '@cofre/shared/crypto/key-period';
import type { KeyPeriodId } from '@cofre/shared/ids';
import { createServerClient } from '../client/http-client.ts';
import { JobRunner } from './job-runner.ts';
import type { RestoreJob } from './restore-job.ts';
import {
  errorFromMessage,
  errorMessage,
  isErrorMessage,
  type ErrorMessage,
  type MessageFromThread,
  type MessageToThread,
  type ThreadSettings,
} from './thread-messages.ts';

/**
 * A thread that runs restore jobs with a connection of its own. It asks the main thread for the keys of a
 * period when it meets one: opening them takes the recovery key, which stays there.
 */
const settings = workerData as ThreadSettings;
const stopping = new AbortController();
const client = createServerClient(settings.client, { signal: stopping.signal });
const known = new Map<KeyPeriodId, PeriodKeys>();
const asked = new Map<KeyPeriodId, PromiseWithResolvers<PeriodKeys>>();
const running = new Set<Promise<void>>();

const runner = new JobRunner({
  client,
  domain: domainKeys(settings.domain),
  periodKeys: ({ keyPeriodId }) => known.get(keyPeriodId) ?? askFor(keyPeriodId),
});

async function askFor(keyPeriodId: KeyPeriodId): Promise<PeriodKeys> {
  let waiting = asked.get(keyPeriodId);
  if (waiting === undefined) {
    waiting = Promise.withResolvers<PeriodKeys>();
    asked.set(keyPeriodId, waiting);
    post({ kind: 'period-wanted', keyPeriodId });
  }
  return await waiting.promise;
}

/** A period without keys stays asked for, and fails again for the next blob. */
function takePeriod(keyPeriodId: KeyPeriodId, period: KeyPeriod | ErrorMessage): void {
  const waiting = asked.get(keyPeriodId);
  if (isErrorMessage(period)) {
    waiting?.reject(errorFromMessage(period));
    return;
  }
  const keys = periodKeys({ keyPeriodId, secret: Buffer.from(period.secret) });
  known.set(keyPeriodId, keys);
  waiting?.resolve(keys);
}

async function runJob(job: RestoreJob): Promise<void> {
  try {
    post({ kind: 'result', result: await runner.run(job, stopping.signal) });
  } catch (error) {
    post({ kind: 'failed', number: job.number, error: errorMessage(error) });
  }
}

async function stop(): Promise<void> {
  // Ends what waits for the server, too; jobs then remove what they have not completed.
  stopping.abort();
  await Promise.all(running);
  await client.close();
  parentPort?.close();
}

function post(message: MessageFromThread): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', (message: MessageToThread) => {
  if (message.kind === 'job') {
    const run = runJob(message.job).finally(() => running.delete(run));
    running.add(run);
  } else if (message.kind === 'period') takePeriod(message.keyPeriodId, message.period);
  else void stop();
});
