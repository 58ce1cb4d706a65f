import { parentPort } from 'node:worker_threads';

/**
 * One turn of a job, as Bree runs them: it says that its time has come, and ends when the work is done. The work itself
 * belongs to the main thread, which alone has the vaults open. While this runs Bree starts no second turn of the job.
 */
const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread only');

port.once('message', () => port.postMessage('done'));
port.postMessage('due');
