import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ChildPrograms } from './child-programs.ts';

const root = dirname(dirname(import.meta.dirname));
const PROGRAM = join(root, 'packages/agent/src/cofre.mjs');

/** One line of what `cofre --json` prints. */
export type JsonLine = Readonly<Record<string, unknown>>;

/** A computer with a state of its own, on which the real `cofre` is run. */
export class CofreAgent {
  readonly stateFolder: string;
  readonly #programs: ChildPrograms;

  constructor(programs: ChildPrograms, stateFolder: string) {
    this.#programs = programs;
    this.stateFolder = stateFolder;
  }

  /**
   * Runs a command with `--json` and gives its lines, those of progress left out.
   * @param onStatus called for each of those
   * @throws ProgramFailed when it does not end with 0
   */
  async run(words: readonly string[], onStatus?: (status: JsonLine) => void): Promise<JsonLine[]> {
    return await this.#run(words, {}, onStatus);
  }

  /** Joins an account: the line goes by a file, because others on this machine can see the words of a command. */
  async enrol(line: string, lineFile: string, words: readonly string[]): Promise<JsonLine> {
    writeFileSync(lineFile, line, { mode: 0o600 });
    return summaryOf(await this.#run(['enroll', ...words], { COFRE_ENROLL_LINE_FILE: lineFile }));
  }

  async #run(
    words: readonly string[],
    environment: Readonly<Record<string, string>>,
    onStatus?: (status: JsonLine) => void,
  ): Promise<JsonLine[]> {
    const lines: JsonLine[] = [];
    await this.#programs.run(process.execPath, [PROGRAM, ...words, '--json'], {
      environment: { ...environment, COFRE_STATE: this.stateFolder },
      onLine: (text) => {
        const line = JSON.parse(text) as JsonLine;
        if (line['message_type'] === 'status') onStatus?.(line);
        else lines.push(line);
      },
    });
    return lines;
  }
}

/** The line that says what a command did. @throws Error when there is none */
export function summaryOf(lines: readonly JsonLine[]): JsonLine {
  const summary = lines.find((line) => line['message_type'] === 'summary');
  if (summary === undefined) throw new Error('The command said nothing about what it did.');
  return summary;
}

/** @throws Error when the field is something else */
export function numberIn(line: JsonLine, field: string): number {
  const value = line[field];
  if (typeof value !== 'number') throw new Error(`"${field}" is missing: ${JSON.stringify(line)}`);
  return value;
}

/** @throws Error when the field is something else */
export function textIn(line: JsonLine, field: string): string {
  const value = line[field];
  if (typeof value !== 'string') throw new Error(`"${field}" is missing: ${JSON.stringify(line)}`);
  return value;
}
