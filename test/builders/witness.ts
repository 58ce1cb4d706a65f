import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';
import type { AgentComputer, AgentRun, RunningAgent } from './agent-process.ts';
import { expectEnd, expectRestores } from './agent-run.ts';
import type { Account, Installation } from './installation.ts';

interface Acknowledged {
  readonly snapshot: string;
  /** A copy of the source as it was. */
  readonly copy: string;
}

/** Remembers what a computer was told to be safe, and proves later that it is. */
export class Witness {
  readonly #installation: Installation;
  readonly #account: Account;
  readonly #source: string;
  readonly #acknowledged: Acknowledged[] = [];

  constructor(installation: Installation, account: Account, source: string) {
    this.#installation = installation;
    this.#account = account;
    this.#source = source;
  }

  get snapshots(): readonly string[] {
    return this.#acknowledged.map(({ snapshot }) => snapshot);
  }

  /** Backs the source up, which must not change meanwhile; remembers it when the run ends with 0. */
  async backUp(
    computer: AgentComputer,
    whileRunning: (agent: RunningAgent) => void = () => {},
  ): Promise<AgentRun> {
    const run = await computer.runWith(['backup', this.#source, '--json'], whileRunning);
    if (run.status !== 0) return run;
    const copy = this.#account.at(`copy-${this.#acknowledged.length}`);
    expect(spawnSync('cp', ['-a', '--reflink=auto', this.#source, copy]).stderr.toString()).toBe('');
    this.#acknowledged.push({ snapshot: String(run.jsonOf('summary')['snapshot_id']), copy });
    return run;
  }

  /**
   * Every snapshot that was acknowledged is there and restores byte for byte; server and computer find nothing wrong
   * with these or any others.
   */
  async expectAllKept(computer: AgentComputer): Promise<void> {
    const listed = await computer.run('snapshots', '--json');
    expectEnd(listed, 0);
    const ids = listed.json().map((line) => line['snapshot_id']);
    expect(ids.filter((id) => this.snapshots.includes(String(id)))).toEqual(this.snapshots);
    const verified = await this.#installation.command('verify');
    expect([verified.status, verified.stdout, verified.stderr]).toEqual([0, expect.any(String), '']);
    expectEnd(await computer.run('verify', '--read-data', '--kit', this.#account.kit), 0);
    for (const [index, { snapshot, copy }] of this.#acknowledged.entries()) {
      const target = this.#account.at(`restored-${index}`);
      await expectRestores(computer, this.#account, snapshot, { source: this.#source, like: copy, target });
    }
  }
}
