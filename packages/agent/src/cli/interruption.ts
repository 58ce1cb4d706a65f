import { setMaxListeners } from 'node:events';
import { EXIT } from '@cofre/shared/errors/exit-codes';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * A signal that the first SIGINT, SIGTERM or SIGHUP sets off, so that the command can end cleanly; the second one
 * ends the process at once.
 */
export function interruptionSignal(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  // Every request that is under way listens.
  setMaxListeners(0, controller.signal);
  return controller.signal;
}
