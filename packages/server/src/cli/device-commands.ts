import type { Command } from 'commander';
import type { AdministeredDevice } from '@cofre/shared/wire/administration';
import { administrationCommand, type CommandSurroundings } from './administration-command.ts';
import { printLine, printTable, safeName } from './output.ts';

const TENANT = 'id or name of the tenant';

/** `device invite`, `device list`, `device revoke`. */
export function addDeviceCommands(program: Command, surroundings: CommandSurroundings): void {
  const device = program.command('device').description('computers of a tenant');
  administrationCommand(
    device
      .command('invite')
      .description('print the one line that enrols a computer')
      .argument('<tenant>', TENANT),
    surroundings,
    {
      work: (administration, tenant: string) => administration.invite(tenant),
      // The line and nothing else, so that a script can take it as it is.
      print: (output, { line }) => printLine(output, line),
    },
  );
  administrationCommand(
    device.command('list').description('list the computers of a tenant').argument('<tenant>', TENANT),
    surroundings,
    {
      work: async (administration, tenant: string) => ({ devices: await administration.listDevices(tenant) }),
      print: (output, { devices }) =>
        printTable(output, ['DEVICE', 'NAME', 'PLATFORM', 'ENROLLED', 'STATE'], devices.map(rowFrom)),
    },
  );
  administrationCommand(
    device
      .command('revoke')
      .description('refuse a computer from now on; what it brought stays')
      .argument('<tenant>', TENANT)
      .argument('<device>', 'id, beginning of an id, or name of the computer'),
    surroundings,
    {
      work: (administration, tenant: string, reference: string) =>
        administration.revokeDevice(tenant, reference),
      print: (output, { name, deviceId }) => printLine(output, `revoked ${safeName(name)}: ${deviceId}`),
    },
  );
}

function rowFrom({ deviceId, name, platform, enrolled, lastSeen, revoked }: AdministeredDevice): string[] {
  const seen = lastSeen === null ? 'never seen' : `seen ${lastSeen}`;
  const state = revoked === null ? seen : `revoked ${revoked}`;
  return [deviceId, safeName(name), safeName(platform), enrolled, state];
}
