#!/usr/bin/env node
import { connectToControlSocket } from './administration/control-socket.ts';
import type { Administration } from './administration/administration.ts';
import type { StoppedCommands } from './cli/stopped-commands.ts';
import type { ApplianceSettings } from './cli/settings.ts';
import { runCommandLine } from './cli/program.ts';

// Concrete things are built here and in what this file alone loads, when a command needs it: `run-server`, `serve` and
// `create-servers` for the server, `administer-files`, `rebuild-files` and `restore-copy` for the files of a
// stopped one, `open-appliance` for both.

async function serve(settings: ApplianceSettings, onReady: (origin: string) => void): Promise<void> {
  const { runServer } = await import('./run-server.ts');
  await runServer(settings, onReady);
}

async function administer<Result>(
  settings: ApplianceSettings,
  work: (administration: Administration) => Promise<Result>,
): Promise<Result> {
  const { dataFolder } = settings;
  const probe = await connectToControlSocket(dataFolder);
  if (probe === null) {
    const { administerFiles } = await import('./administer-files.ts');
    return await administerFiles(settings, work);
  }
  const { RemoteAdministration } = await import('./administration/remote-administration.ts');
  probe.destroy();
  return await work(new RemoteAdministration(() => connectToControlSocket(dataFolder)));
}

const stopped: StoppedCommands = {
  rebuild: async (...inputs) => (await import('./rebuild-files.ts')).rebuildFiles(...inputs),
  restoreCopy: async (...inputs) => (await import('./restore-copy.ts')).restoreCopy(...inputs),
  acceptRebuilt: async (...inputs) => (await import('./rebuild-files.ts')).acceptRebuiltFiles(...inputs),
};

// Whatever is made here is for this account alone: databases too, which take what the process says.
process.umask(0o077);

const output = { stdout: process.stdout, stderr: process.stderr };
const surroundings = { appliance: { serve, administer, stopped }, output };
process.exitCode = await runCommandLine(process.argv.slice(2), surroundings, process.env);
