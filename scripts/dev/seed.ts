import { rmSync } from 'node:fs';
import { formatBytes } from '@cofre/agent/cli/quantities';
import { ProgramFailed, type ChildPrograms } from '../programs/child-programs.ts';
import { CofreAgent, numberIn, summaryOf, type JsonLine } from '../programs/cofre-agent.ts';
import type { CofreServer, ServerFolders } from '../programs/cofre-server.ts';

/** Where `pnpm dev` keeps what it makes. */
export interface DevelopmentPlace extends ServerFolders {
  /** Of the agent. */
  readonly state: string;
  readonly kit: string;
  /** For an enrolment line, while it is used. */
  readonly lineFile: string;
  /** What is backed up first. */
  readonly source: string;
}

const TENANT = 'Development';
const MODULES = 20;

/**
 * Makes what is not there yet: a tenant, an enrolled agent, a first backup. Says what it made.
 * @throws ProgramFailed when a command does not do what it should
 */
export async function seed(
  programs: ChildPrograms,
  server: CofreServer,
  place: DevelopmentPlace,
): Promise<string[]> {
  const said: string[] = [];
  const { tenants } = await server.run('tenant', 'list');
  if (!(tenants as JsonLine[]).some(({ name }) => name === TENANT)) {
    await server.run('tenant', 'create', TENANT, '--modules', String(MODULES));
    said.push(`Created the tenant "${TENANT}".`);
  }
  const agent = new CofreAgent(programs, place.state);
  if (!(await isEnrolled(agent))) {
    const words = ['--kit', place.kit, '--name', 'development'];
    await agent.enrol(await server.invite(TENANT), place.lineFile, words);
    rmSync(place.lineFile);
    said.push(`Enrolled an agent; its recovery kit is ${place.kit}`);
  }
  const snapshots = await agent.run(['snapshots']);
  if (!snapshots.some((line) => line['message_type'] === 'snapshot')) {
    const summary = summaryOf(await agent.run(['backup', place.source]));
    said.push(`Backed up ${place.source}: ${formatBytes(numberIn(summary, 'bytes_sent'))} sent.`);
  }
  return said;
}

async function isEnrolled(agent: CofreAgent): Promise<boolean> {
  try {
    await agent.run(['status']);
    return true;
  } catch (error) {
    if (error instanceof ProgramFailed && error.ended.stdout.includes('"not_enrolled"')) return false;
    throw error;
  }
}
