import { createServerClient, type ClientOptions } from '../client/http-client.ts';
import type { ClientSettings } from '../client/server-client.ts';
import type { AgentContext } from '../state/agent-context.ts';
import { deviceIdentity, requireIdentity, type StoredIdentity } from '../state/identity-file.ts';
import type { Invocation } from './invocation.ts';

/** A server that never answered is more likely a wrong address than one that restarts. */
const FIRST_AWAY_MS_MAX = 10_000;

export interface OpenedContext {
  readonly context: AgentContext;
  readonly stored: StoredIdentity;
}

/**
 * What the commands of an enrolled computer work with; its connections end with the command.
 * @throws CofreError `not_enrolled`, `state_damaged`, `unknown_format`
 */
export async function openContext(invocation: Invocation): Promise<OpenedContext> {
  const { folders, resources } = invocation;
  const stored = await requireIdentity(folders.stateFolder);
  const identity = deviceIdentity(stored);
  const settings: ClientSettings = {
    address: identity.address,
    certificatePin: identity.certificatePin,
    credential: `${identity.deviceId}.${identity.credentialSecret}`,
  };
  const client = createServerClient(settings, clientOptions(invocation, settings.address));
  resources.defer(async () => client.close());
  return { context: { identity, client, ...folders }, stored };
}

/** How the command line's clients wait: a word to the user the first time, and an end when he wants one. */
export function clientOptions({ output, say, signal }: Invocation, address: string): ClientOptions {
  let wasTold = false;
  return {
    signal,
    firstAwayMsMax: FIRST_AWAY_MS_MAX,
    onWait: (problem) => {
      if (!wasTold) output.note(say('waiting', { address, problem }));
      wasTold = true;
    },
  };
}
