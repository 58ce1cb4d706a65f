import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

export interface StateFolders {
  /** Who this computer is, and its settings. */
  readonly stateFolder: string;
  /** May be deleted at any time. */
  readonly cacheFolder: string;
}

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isRoot: boolean;
  readonly homeFolder: string;
}

/**
 * Where the agent keeps its state: what `--state` says, else `COFRE_STATE`, else the system's folders for a service
 * (as root), else the user's by the XDG rules. A folder that was chosen holds its cache too.
 */
export function stateFolders(
  chosen: string | undefined,
  { environment, isRoot, homeFolder }: Surroundings = here(),
): StateFolders {
  const named = chosen ?? textOf(environment['COFRE_STATE']);
  if (named !== undefined) {
    const stateFolder = resolve(named);
    return { stateFolder, cacheFolder: join(stateFolder, 'cache') };
  }
  if (isRoot) return { stateFolder: '/var/lib/cofre', cacheFolder: '/var/cache/cofre' };
  const base = (variable: string, fallback: string): string => {
    const value = textOf(environment[variable]);
    // The XDG rules: a relative path is invalid and ignored.
    return join(value !== undefined && isAbsolute(value) ? value : join(homeFolder, fallback), 'cofre');
  };
  return {
    stateFolder: base('XDG_STATE_HOME', '.local/state'),
    cacheFolder: base('XDG_CACHE_HOME', '.cache'),
  };
}

function here(): Surroundings {
  return { environment: process.env, isRoot: process.getuid?.() === 0, homeFolder: homedir() };
}

function textOf(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
