import { link, mkdir, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { CofreError } from '@cofre/shared/errors';
import { removeFile, syncFile, syncFolder } from './durable-files.ts';
import { fileSystemOf, judgeFileSystem } from './file-system.ts';
import { isOutOfSpace, StorageFailure, systemErrorCode } from './storage-failure.ts';

export interface CheckedPlaces {
  readonly dataFolder: string;
  readonly storeFolder: string;
}

const PROBE = 'start-check';
/** A library that is loaded so that nothing is synced. */
const UNSYNCED_LIBRARY = /eatmydata/;

/**
 * Checks, before anything is opened, that the places of an appliance can keep what it promises: which file systems they
 * lie on, that they can be written to, synced and linked, and that neither lies in the other. They are made when they
 * are not there.
 * @returns what is doubtful, for the log
 * @throws CofreError `settings_invalid`, naming the setting and why the server would have to lie
 */
export async function checkPlaces(
  { dataFolder, storeFolder }: CheckedPlaces,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string[]> {
  if (UNSYNCED_LIBRARY.test(environment['LD_PRELOAD'] ?? '')) {
    refuse(
      'LD_PRELOAD',
      'eatmydata lets nothing be synced, so that a power loss takes what was acknowledged',
    );
  }
  const places = [
    { setting: '--data', folder: dataFolder },
    { setting: '--store', folder: storeFolder },
  ];
  for (const { setting, folder } of places) await makePlace(setting, folder);
  await refuseNested(dataFolder, storeFolder);
  const doubts: string[] = [];
  for (const { setting, folder } of places) {
    const { verdict, reason } = judgeFileSystem(await fileSystemOf(folder));
    if (verdict === 'refused') refuse(setting, `${folder}: ${reason}`);
    if (verdict === 'doubtful') doubts.push(`${setting} ${folder}: ${reason}`);
    await tryPlace(setting, folder);
  }
  return doubts;
}

async function makePlace(setting: string, folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    refuse(setting, `${folder} cannot be made: ${systemErrorCode(error) ?? String(error)}`);
  }
}

/** Whoever removes or puts back one of them would take the other with it. */
async function refuseNested(dataFolder: string, storeFolder: string): Promise<void> {
  const data = await realpath(dataFolder);
  const store = await realpath(storeFolder);
  if (data === store) refuse('--store', 'it is the folder of the databases: give it one of its own');
  if (store.startsWith(data + sep)) refuse('--store', 'it lies in the folder of the databases');
  if (data.startsWith(store + sep)) refuse('--data', 'it lies in the store');
}

/** Does once what every write relies on. A full disk is no reason not to start: what is there can be read. */
async function tryPlace(setting: string, folder: string): Promise<void> {
  const probe = join(folder, `${PROBE}.new`);
  const linked = join(folder, PROBE);
  let step = 'it cannot be written to';
  try {
    for (const left of [probe, linked]) await removeFile(left);
    const file = await open(probe, 'wx', 0o600);
    try {
      await file.writeFile('x');
      step = 'what is written to it cannot be synced';
      await syncFile(file, probe);
    } finally {
      await file.close();
    }
    step = 'its file system has no hard links';
    await link(probe, linked);
    step = 'its names cannot be synced';
    await syncFolder(folder);
  } catch (error) {
    if (isOutOfSpace(error)) return;
    const cause = error instanceof StorageFailure ? error.cause : error;
    refuse(setting, `${folder}: ${step} (${systemErrorCode(cause) ?? String(cause)})`);
  } finally {
    for (const left of [probe, linked]) await removeFile(left).catch(() => false);
  }
}

function refuse(setting: string, problem: string): never {
  throw new CofreError('settings_invalid', { setting, problem });
}
