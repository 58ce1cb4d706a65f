import { parentPort, workerData } from 'node:worker_threads';
import { domainKeys } from '@cofre/shared/crypto/domain-keys';
import { ChunkOpener, JobWork } from './job-work.ts';
import {
  errorMessage,
  type MessageFromThread,
  type MessageToThread,
  type ThreadSettings,
} from './thread-messages.ts';

/**
 * A thread that opens chunks and writes them. It knows no network and no recovery key: chunks, and the keys
 * of their periods, come from the main thread.
 */
const opener = new ChunkOpener(domainKeys((workerData as ThreadSettings).domain));
const underWay = new Map<number, JobWork>();

/** A job that failed ends the restore; its further chunks find nothing here. */
function during(number: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    underWay.get(number)?.giveUp();
    underWay.delete(number);
    post({ kind: 'failed', number, error: errorMessage(error) });
  }
}

function takeChunk({ number, slab, lengthBytes }: Extract<MessageToThread, { kind: 'chunk' }>): void {
  underWay.get(number)?.take(Buffer.from(slab, 0, lengthBytes));
  post({ kind: 'taken', slab }, [slab]);
}

function endJob(number: number): void {
  const work = underWay.get(number);
  underWay.delete(number);
  if (work !== undefined) post({ kind: 'result', result: work.finish() });
}

function stop(): void {
  for (const work of underWay.values()) work.giveUp();
  parentPort?.close();
}

function post(message: MessageFromThread, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

parentPort?.on('message', (message: MessageToThread) => {
  switch (message.kind) {
    case 'job': {
      const { job } = message;
      during(job.number, () => void underWay.set(job.number, new JobWork(job, opener)));
      break;
    }
    case 'period':
      opener.addPeriod({ ...message.period, secret: Buffer.from(message.period.secret) });
      break;
    case 'chunk':
      during(message.number, () => takeChunk(message));
      break;
    case 'lost-chunk':
      during(message.number, () => underWay.get(message.number)?.take(message.reason));
      break;
    case 'end':
      during(message.number, () => endJob(message.number));
      break;
    case 'stop':
      stop();
  }
});
