import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { formatBytes } from '@cofre/agent/cli/quantities';
import { removeTree } from '../../test/builders/remove-tree.ts';
import type { ChildPrograms } from '../programs/child-programs.ts';
import { CofreAgent, numberIn, summaryOf, textIn, type JsonLine } from '../programs/cofre-agent.ts';
import { CofreServer } from '../programs/cofre-server.ts';
import { changeFiles, type Changes } from './change-files.ts';
import { compareFolders } from './compare-folders.ts';
import { DemoFailure } from './demo-failure.ts';
import { formatCount } from './format-count.ts';
import { newMarker, plantMarker, type Marker } from './marker.ts';
import { bytesIn, measureTree, type TreeSize } from './measure-tree.ts';
import type { Narrator, Told } from './narrator.ts';
import { proveSecrecy, proveSightOf } from './prove-secrecy.ts';
import type { Source } from './source-folder.ts';
import { copyFolder, makeTwin } from './working-copy.ts';

/** What one backup did. */
export interface BackupFigures {
  readonly snapshotId: string;
  readonly seconds: number;
  readonly bytesTotal: number;
  readonly bytesRead: number;
  /** As the agent counts them. */
  readonly bytesSent: number;
  /** By how much the store grew: the same, seen from the other side. */
  readonly bytesKept: number;
}

/** What one restore did. */
export interface RestoreFigures {
  readonly seconds: number;
  readonly bytesRestored: number;
  readonly bytesReceived: number;
}

export interface DemoFigures {
  readonly backups: readonly [first: BackupFigures, second: BackupFigures];
  readonly restores: readonly [first: RestoreFigures, second: RestoreFigures];
  readonly changes: Changes;
  readonly storeBytes: number;
}

const TENANT = 'Demo';
const MODULE_BYTES = 50 * 1024 * 1024;
const MODULES_SPARE = 2;
/** Of what was changed and added: what may travel beyond it, for the lists of files and what wraps them. */
const TRAVEL_SPARE_BYTES = 1024 * 1024;
const TRAVEL_SPARE_SHARE = 0.02;
const LINE_CHARACTERS_SHOWN = 44;

/** The main job, from the first copy to the last comparison. Every step throws when what it promises does not hold. */
export class Scenario {
  readonly #programs: ChildPrograms;
  readonly #narrator: Narrator;
  readonly #source: Source;
  readonly #place: (...names: string[]) => string;
  readonly #server: CofreServer;
  readonly #marker: Marker = newMarker();
  /** On the laptop that will be lost. */
  readonly #copy: string;
  readonly #kit: string;

  /** @param folder an empty one, for everything that the demo makes */
  constructor(programs: ChildPrograms, narrator: Narrator, source: Source, folder: string) {
    this.#programs = programs;
    this.#narrator = narrator;
    this.#source = source;
    this.#place = (...names) => join(folder, ...names);
    this.#copy = this.#place('laptop', basename(source.path) || 'files');
    this.#kit = this.#place('paper', 'kit.txt');
    const folders = { data: this.#place('server', 'data'), store: this.#place('server', 'store') };
    this.#server = new CofreServer(programs, folders);
  }

  /** @throws DemoFailure, ProgramFailed */
  async play(): Promise<DemoFigures> {
    for (const name of ['laptop', 'paper', 'server', 'reference', 'new-laptop']) {
      await mkdir(this.#place(name));
    }
    const laptop = new CofreAgent(this.#programs, this.#place('laptop', 'state'));
    await this.#copyFolder();
    await this.#startServer();
    await this.#createTenant();
    await this.#enrol('Enrol a computer, make the kit', laptop, 'laptop');
    const first = await this.#backUp('First backup', laptop, 0);
    const changes = await this.#change();
    const second = await this.#backUp('Second backup', laptop, first.bytesKept);
    refuseMuchTravel(first, second, changes);
    await this.#search();
    await this.#loseLaptop();
    const newLaptop = new CofreAgent(this.#programs, this.#place('new-laptop', 'state'));
    await this.#enrol('Enrol another computer', newLaptop, 'new-laptop');
    await this.#expectSnapshots(newLaptop, [first, second]);
    const restores = [
      await this.#restore('Restore the first snapshot', newLaptop, first, 'first'),
      await this.#restore('Restore the second snapshot', newLaptop, second, 'second'),
    ] as const;
    const storeBytes = await this.#checkAndStopServer();
    return { backups: [first, second], restores, changes, storeBytes };
  }

  async #copyFolder(): Promise<void> {
    await this.#narrator.step('Copy the folder', async (progress) => {
      progress('copying');
      const left = await copyFolder(this.#programs, this.#source.path, this.#copy);
      await plantMarker(this.#copy, this.#marker);
      progress('a second copy, to compare with');
      await this.#keepAside('first');
      const missing = left === 0 ? '' : `; ${formatCount(left)} could not be copied by this user`;
      return told(undefined, `to a laptop of make-believe, with a secret planted in it${missing}`);
    });
  }

  async #startServer(): Promise<void> {
    await this.#narrator.step('Start a server', async () => {
      const { origin } = await this.#server.serve('127.0.0.1:0', this.#place('server', 'log'));
      return told(undefined, `${origin}, with an empty database and store`);
    });
  }

  async #createTenant(): Promise<void> {
    const modules = Math.ceil((this.#source.size.bytes * 2) / MODULE_BYTES) + MODULES_SPARE;
    await this.#narrator.step('Create a tenant', async () => {
      const created = await this.#server.run('tenant', 'create', TENANT, '--modules', String(modules));
      const quota = formatBytes(numberIn(created, 'quota_bytes'));
      return told(undefined, `"${TENANT}", quota ${modules} × 50 MiB = ${quota}`);
    });
  }

  async #enrol(title: string, agent: CofreAgent, name: string): Promise<void> {
    await this.#narrator.step(title, async () => {
      const line = await this.#server.invite(TENANT);
      const lineFile = this.#place(name, 'line.txt');
      const enrolled = await agent.enrol(line, lineFile, ['--kit', this.#kit, '--name', name]);
      removeTree(lineFile);
      const made = enrolled['kit_made'] === true ? 'kit made' : 'with the kit';
      return told(undefined, `${made}; line ${line.slice(0, LINE_CHARACTERS_SHOWN)}…`);
    });
  }

  async #backUp(title: string, agent: CofreAgent, keptBefore: number): Promise<BackupFigures> {
    return await this.#narrator.step(title, async (progress) => {
      const lines = await agent.run(['backup', this.#copy], (status) => progress(filesOf(status)));
      const summary = summaryOf(lines);
      const figures = {
        snapshotId: textIn(summary, 'snapshot_id'),
        seconds: numberIn(summary, 'duration_s'),
        bytesTotal: numberIn(summary, 'bytes_total'),
        bytesRead: numberIn(summary, 'bytes_read'),
        bytesSent: numberIn(summary, 'bytes_sent'),
        bytesKept: (await bytesIn(this.#place('server', 'store'))) - keptBefore,
      };
      const sent = `${formatBytes(figures.bytesRead)} read, ${formatBytes(figures.bytesSent)} sent`;
      return told(figures, `${countsOf(summary)}; ${sent}`);
    });
  }

  async #change(): Promise<Changes> {
    return await this.#narrator.step('Change some files', async (progress) => {
      const changes = await changeFiles(this.#copy);
      progress('a second copy, to compare with');
      await this.#keepAside('second');
      const { changed, added, deleted } = changes;
      return told(changes, `${changed} changed, ${added} added, ${deleted} deleted`);
    });
  }

  async #search(): Promise<void> {
    await this.#narrator.step('Search for the secret', async () => {
      await proveSightOf(this.#copy, this.#marker);
      const { files, bytes } = await proveSecrecy(this.#place('server'), this.#marker);
      const where = `${formatCount(files)} files, ${formatBytes(bytes)}: store, databases, log`;
      return told(undefined, `no trace of its text or name in ${where}`);
    });
  }

  async #loseLaptop(): Promise<void> {
    await this.#narrator.step('Lose the laptop', async () => {
      removeTree(this.#place('laptop'));
      return told(undefined, "the copy and the agent's state are gone; the kit is left");
    });
  }

  /** The new computer has to find by itself what there is. */
  async #expectSnapshots(agent: CofreAgent, backups: readonly BackupFigures[]): Promise<void> {
    await this.#narrator.step('List the snapshots', async () => {
      const lines = await agent.run(['snapshots', '--kit', this.#kit]);
      const listed = lines.filter((line) => line['message_type'] === 'snapshot');
      const found = listed.map((line) => `${textIn(line, 'snapshot_id')} ${textIn(line, 'standing')}`);
      const expected = backups.map(({ snapshotId }) => `${snapshotId} confirmed`);
      if (found.join('\n') !== expected.join('\n')) {
        throw new DemoFailure(
          `Expected the snapshots\n${expected.join('\n')}\nand found\n${found.join('\n')}`,
        );
      }
      return told(undefined, backups.map(({ snapshotId }) => snapshotId.slice(0, 12)).join(', '));
    });
  }

  async #restore(
    title: string,
    agent: CofreAgent,
    { snapshotId }: BackupFigures,
    reference: 'first' | 'second',
  ): Promise<RestoreFigures> {
    return await this.#narrator.step(title, async (progress) => {
      const target = this.#place('new-laptop', reference);
      const options = ['--target', target, '--kit', this.#kit, '--owners', 'numbers'];
      const lines = await agent.run(['restore', snapshotId, ...options], (status) =>
        progress(filesOf(status)),
      );
      const summary = summaryOf(lines);
      progress('comparing');
      const size = await this.#expectSame(reference, join(target, this.#copy), summary);
      removeTree(target);
      const figures = {
        seconds: numberIn(summary, 'duration_s'),
        bytesRestored: numberIn(summary, 'bytes_restored'),
        bytesReceived: numberIn(summary, 'bytes_received'),
      };
      const entries = formatCount(size.files + size.folders + size.others);
      return told(figures, `identical: ${entries} entries, ${formatBytes(size.bytes)}, content and metadata`);
    });
  }

  async #expectSame(reference: string, restored: string, summary: JsonLine): Promise<TreeSize> {
    const expected = this.#place('reference', reference);
    const { count, shown } = await compareFolders(this.#programs, expected, restored);
    if (count === 0) return await measureTree(expected);
    const problems = JSON.stringify(summary['problems']);
    const more = count > shown.length ? [`and ${formatCount(count - shown.length)} more`] : [];
    throw new DemoFailure(
      [
        `${formatCount(count)} differences to ${expected}:`,
        ...shown,
        ...more,
        `restore said: ${problems}`,
      ].join('\n'),
    );
  }

  /** The server reads all that it keeps, ends, and leaves nothing behind that says more than before. */
  async #checkAndStopServer(): Promise<number> {
    return await this.#narrator.step('Check and stop the server', async () => {
      const checked = await this.#server.run('verify', TENANT);
      const status = await this.#server.stop();
      if (status !== 0) throw new DemoFailure(`The server ended with ${status ?? 'a signal'}.`);
      await proveSecrecy(this.#place('server'), this.#marker);
      const read = formatBytes(numberIn(checked, 'bytes'));
      return told(
        await bytesIn(this.#place('server', 'store')),
        `${read} read again: no damage, and no trace`,
      );
    });
  }

  async #keepAside(name: string): Promise<void> {
    await makeTwin(this.#programs, this.#copy, this.#place('reference', name));
  }
}

/** @throws DemoFailure when more travelled than what had changed */
function refuseMuchTravel(first: BackupFigures, second: BackupFigures, changes: Changes): void {
  const bytesMax = changes.bytes + TRAVEL_SPARE_BYTES + TRAVEL_SPARE_SHARE * first.bytesTotal;
  const travelled = Math.max(second.bytesSent, second.bytesKept);
  if (travelled <= bytesMax) return;
  throw new DemoFailure(
    `${formatBytes(changes.bytes)} had changed, and ${formatBytes(travelled)} travelled (expected at most ${formatBytes(bytesMax)}).`,
  );
}

function told<Result>(result: Result, said: string): Told<Result> {
  return { result, said };
}

function filesOf(status: JsonLine): string {
  const done = status['files_done'];
  const all = status['files_found'] ?? status['files_total'];
  if (typeof done !== 'number' || typeof all !== 'number') return '';
  return `${formatCount(done)} of ${formatCount(all)} files`;
}

function countsOf(summary: JsonLine): string {
  const count = (field: string): string => formatCount(numberIn(summary, field));
  return `${count('files_new')} new, ${count('files_changed')} changed, ${count('files_unmodified')} as before`;
}
