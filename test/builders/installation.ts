import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatEnrolmentLine, parseEnrolmentLine } from '@cofre/shared/wire/enrolment-line';
import { agentComputer, type AgentComputer, type ComputerOptions } from './agent-process.ts';
import { expectEnd } from './agent-run.ts';
import { removeTree } from './remove-tree.ts';
import {
  runServerCommand,
  startServerProcess,
  type EndedProcess,
  type ServerProcess,
  type Wrap,
} from './server-process.ts';

/** Room enough that only tests of the quota meet it. */
const MODULES = 1000;

/** Where data and store lie, unless they lie in the installation's own folder. */
export interface InstallationPlaces {
  readonly data?: string;
  readonly store?: string;
}

/** An appliance as its provider runs it: a server process with its files in a temporary folder. */
export class Installation {
  readonly folder = mkdtempSync(join(tmpdir(), 'cofre-installation-'));
  readonly data: string;
  readonly store: string;
  #running: ServerProcess | null = null;
  #address = '127.0.0.1:0';
  #accounts = 0;

  private constructor(places: InstallationPlaces) {
    this.data = places.data ?? join(this.folder, 'data');
    this.store = places.store ?? join(this.folder, 'store');
  }

  static async start(places: InstallationPlaces = {}): Promise<Installation> {
    const installation = new Installation(places);
    // Tests run commands as somebody else, too.
    chmodSync(installation.folder, 0o755);
    await installation.startServer();
    return installation;
  }

  get server(): ServerProcess {
    if (this.#running === null) throw new Error('the server does not run');
    return this.#running;
  }

  /** Starts the server, at the address that it had. @param wrap what runs it, such as strace */
  async startServer(wrap?: Wrap, environment: NodeJS.ProcessEnv = {}): Promise<void> {
    const words = ['--store', this.store, '--listen', this.#address];
    this.#running = await startServerProcess(this.data, words, environment, wrap);
    this.#address = new URL(this.#running.origin).host;
  }

  async stopServer(signal: NodeJS.Signals = 'SIGTERM'): Promise<EndedProcess> {
    const ended = await this.server.stop(signal);
    this.#running = null;
    return ended;
  }

  /** Runs `cofre-server` on the installation's folders. */
  async command(...words: string[]): Promise<EndedProcess> {
    return await runServerCommand([...words, '--data', this.data, '--store', this.store]);
  }

  /** A new account, with a folder of its own for its computers, its kit and what is backed up. */
  async account(options: { modules?: number } = {}): Promise<Account> {
    const name = `account-${++this.#accounts}`;
    const { modules = MODULES } = options;
    const { tenantId } = await this.server.administration.createTenant({ name, modules });
    const folder = join(this.folder, name);
    mkdirSync(folder);
    return new Account(this, tenantId, folder);
  }

  /** A new account with its first computer, and the path of what that backs up: nothing is there yet. */
  async computer(options: { modules?: number } = {}): Promise<AccountWithComputer> {
    const account = await this.account(options);
    return { account, computer: await account.computer('one'), source: account.at('source') };
  }

  async remove(): Promise<void> {
    await this.#running?.stop('SIGKILL');
    removeTree(this.folder);
  }
}

export interface AccountWithComputer {
  readonly account: Account;
  readonly computer: AgentComputer;
  readonly source: string;
}

export interface EnrolOptions extends ComputerOptions {
  /** Reach the server by this origin (of a proxy) instead of its own. */
  readonly origin?: string;
  /** Instead of one in the account's folder. */
  readonly stateFolder?: string;
}

/** A customer: one recovery key, and any number of computers. */
export class Account {
  readonly tenantId: string;
  readonly folder: string;
  readonly kit: string;
  readonly #installation: Installation;

  constructor(installation: Installation, tenantId: string, folder: string) {
    this.#installation = installation;
    this.tenantId = tenantId;
    this.folder = folder;
    this.kit = this.at('kit.txt');
  }

  /** A path in the account's folder. */
  at(...names: string[]): string {
    return join(this.folder, ...names);
  }

  async invite(origin?: string): Promise<string> {
    const { line } = await this.#installation.server.administration.invite(this.tenantId);
    return origin === undefined
      ? line
      : formatEnrolmentLine({ ...parseEnrolmentLine(line), address: origin });
  }

  /** A computer that belongs to the account. The first one makes the kit. */
  async computer(
    name: string,
    { origin, stateFolder, ...options }: EnrolOptions = {},
  ): Promise<AgentComputer> {
    const computer = agentComputer(stateFolder ?? this.at(`state of ${name}`), options);
    const line = await this.invite(origin);
    expectEnd(await computer.run('enroll', line, '--kit', this.kit, '--name', name, '--json'), 0);
    // Whoever the computer belongs to: the folder is the test's own.
    chmodSync(this.kit, 0o644);
    return computer;
  }

  /** What the account takes of its quota: each chunk once, in use or not. */
  async usedBytes(): Promise<number> {
    const [statistics] = await this.#installation.server.administration.statistics(this.tenantId);
    if (statistics === undefined) throw new Error('the account is not there');
    return statistics.usedBytes;
  }

  /** Revokes a computer by its name. */
  async revoke(name: string): Promise<void> {
    await this.#installation.server.administration.revokeDevice(this.tenantId, name);
  }
}
