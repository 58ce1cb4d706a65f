import { parentPort, workerData } from 'node:worker_threads';
import { openApplianceDatabase, type ApplianceDatabase } from './appliance-database.ts';
import { applianceOperations, type ApplianceOperations } from './operations.ts';
import {
  failureFrom,
  type OpeningReply,
  type OperationReply,
  type OperationRequest,
} from './thread-messages.ts';

/** The thread that owns the appliance's database: a write syncs the disk, and the event loop must not wait for it. */
const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread only');

function open(): ApplianceDatabase | null {
  try {
    return openApplianceDatabase((workerData as { file: string }).file);
  } catch (error) {
    port?.postMessage({ failure: failureFrom(error) } satisfies OpeningReply);
    return null;
  }
}

function answer(operations: ApplianceOperations, { id, name, inputs }: OperationRequest): OperationReply {
  try {
    const operation = operations[name] as (...inputs: readonly unknown[]) => unknown;
    return { id, value: operation(...inputs) };
  } catch (error) {
    return { id, failure: failureFrom(error) };
  }
}

const database = open();
if (database !== null) {
  const operations = applianceOperations(database);
  port.on('message', (request: OperationRequest | 'close') => {
    if (request === 'close') {
      database.$client.close();
      port.close();
    } else {
      port.postMessage(answer(operations, request));
    }
  });
  port.postMessage({ isOpen: true } satisfies OpeningReply);
}
