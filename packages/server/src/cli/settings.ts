import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { parseListenAddress, type ListenAddress } from '../tenancy/listen-address.ts';

/** The settings that every command takes, as flags or from the environment. */
export interface ApplianceOptions {
  readonly data: string;
  readonly store?: string;
  readonly listen?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly publicUrl?: string;
  readonly copyTo?: string;
}

/** The same, understood: folders and files are absolute, what was not given is null. */
export interface ApplianceSettings {
  readonly dataFolder: string;
  readonly storeFolder: string | null;
  readonly listen: ListenAddress | null;
  readonly certificateFile: string | null;
  readonly keyFile: string | null;
  readonly publicUrl: string | null;
  /** A second place for copies of the appliance's own database. */
  readonly copyFolder: string | null;
}

/** Adds the options of {@link ApplianceOptions} to a command. */
export function withApplianceOptions(command: Command): Command {
  const options: [flags: string, variable: string, description: string][] = [
    ['--data <dir>', 'COFRE_DATA', 'folder of the databases'],
    ['--store <dir>', 'COFRE_STORE', 'folder of what computers send'],
    ['--listen <host:port>', 'COFRE_LISTEN', 'where the server listens'],
    ['--tls-cert <file>', 'COFRE_TLS_CERT', 'certificate of the server, in PEM'],
    ['--tls-key <file>', 'COFRE_TLS_KEY', 'its private key, in PEM'],
    ['--copy-to <dir>', 'COFRE_COPY_TO', 'second place for copies of the list of tenants and computers'],
    ['--public-url <url>', 'COFRE_PUBLIC_URL', 'address for computers, if it is not that of --listen'],
  ];
  for (const [flags, variable, description] of options) {
    const option = new Option(flags, description).env(variable);
    if (variable === 'COFRE_DATA') option.makeOptionMandatory();
    command.addOption(option);
  }
  return command;
}

/** @throws CofreError `settings_invalid` */
export function settingsFrom(options: ApplianceOptions): ApplianceSettings {
  return {
    dataFolder: resolve(options.data),
    storeFolder: pathOrNull(options.store),
    listen: options.listen === undefined ? null : parseListenAddress(options.listen),
    certificateFile: pathOrNull(options.tlsCert),
    keyFile: pathOrNull(options.tlsKey),
    publicUrl: options.publicUrl ?? null,
    copyFolder: pathOrNull(options.copyTo),
  };
}

function pathOrNull(path: string | undefined): string | null {
  return path === undefined ? null : resolve(path);
}
