import { pino } from 'pino';
import type { CofreError } from '@cofre/shared/errors';
import { EXIT } from '@cofre/shared/errors/exit-codes';
import type { ApplianceSettings } from './cli/settings.ts';
import { startServer } from './serve.ts';
import { SERVER_VERSION } from './version.ts';

const STANDARD_ERROR = 2;

/** The process must be gone 30 s after it was told to stop, whatever it waits for. */
const STOP_MS_MAX = 29_000;

/**
 * Runs the server in this process until SIGTERM or SIGINT. What must not go on ends the process at once: storage that
 * failed, or an error that nobody caught.
 * @param onReady gets the server's origin when requests are welcome
 */
export async function runServer(
  settings: ApplianceSettings,
  onReady: (origin: string) => void,
): Promise<void> {
  // Buffered, so that a slow reader of the log does not hold the event loop; written out before the process ends.
  const destination = pino.destination({ dest: STANDARD_ERROR, sync: false });
  const redact = ['authorization', '*.authorization', '*.headers.authorization'];
  const log = pino({ base: null, redact, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  const die = (fields: object, message: string): never => {
    log.fatal(fields, message);
    destination.flushSync();
    process.exit(EXIT.failed);
  };
  process.on('uncaughtException', (error) => die({ error: error.stack }, 'uncaught error'));
  const stopAsked = new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const onFatal = ({ code, parameters }: CofreError) => die({ code, parameters }, 'storage failed');

  const server = await startServer(settings, log, onFatal);
  log.info({ version: SERVER_VERSION, origin: server.origin }, 'listening');
  onReady(server.origin);

  const signal = await stopAsked;
  log.info({ signal }, 'stopping');
  setTimeout(() => die({}, 'could not stop in time'), STOP_MS_MAX).unref();
  await server.stop();
  log.info({}, 'stopped');
  destination.flushSync();
}
