import type { Writable } from 'node:stream';
import { formatDuration } from '@cofre/agent/cli/quantities';

/** Where the demo speaks; a terminal gets colours and a line that moves. */
export interface Stage extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What a step gives: something for the next ones, and what to say of it. */
export interface Told<Result> {
  readonly result: Result;
  readonly said: string;
}

type Style = 'bold' | 'dim' | 'green' | 'red';

const STYLES: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  green: [32, 39],
  red: [31, 39],
};
const TITLE_CHARACTERS = 34;
const DURATION_CHARACTERS = 7;
const DRAW_MS = 100;
/** Without a terminal: how long a step may be silent. */
const SILENCE_MS = 5_000;

/** Says step by step what is done, and how long it took. */
export class Narrator {
  readonly #stage: Stage;
  readonly #hasColours: boolean;
  #number = 0;

  constructor(stage: Stage, environment: NodeJS.ProcessEnv) {
    this.#stage = stage;
    this.#hasColours = stage.isTTY === true && (environment['NO_COLOR'] ?? '') === '';
  }

  line(text = ''): void {
    this.#stage.write(`${text}\n`);
  }

  styled(style: Style, text: string): string {
    const [on, off] = STYLES[style];
    return this.#hasColours ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  }

  /** Does a step, and says what it gave; one that fails is marked, and its error goes on. */
  async step<Result>(
    title: string,
    work: (progress: (text: string) => void) => Promise<Told<Result>>,
  ): Promise<Result> {
    this.#number += 1;
    const label = `${String(this.#number).padStart(2)}  ${title}`;
    const startedMs = performance.now();
    const drawing = this.#drawProgress(label, startedMs);
    try {
      const { result, said } = await work(drawing.say);
      drawing.stop();
      this.line(this.#ended(this.styled('green', '✓'), label, performance.now() - startedMs, said));
      return result;
    } catch (error) {
      drawing.stop();
      this.line(this.#ended(this.styled('red', '✗'), label, performance.now() - startedMs, ''));
      throw error;
    }
  }

  #ended(mark: string, label: string, durationMs: number, said: string): string {
    const duration = this.styled('dim', formatDuration(durationMs).padStart(DURATION_CHARACTERS));
    return `${mark} ${label.padEnd(TITLE_CHARACTERS)} ${duration}  ${said}`.trimEnd();
  }

  #drawProgress(label: string, startedMs: number): { say: (text: string) => void; stop: () => void } {
    let latest = '';
    const draw = (): void => {
      const text = `  ${label.padEnd(TITLE_CHARACTERS)} ${formatDuration(performance.now() - startedMs).padStart(DURATION_CHARACTERS)}  ${latest}`;
      if (this.#stage.isTTY === true) {
        this.#stage.write(`\r\u001b[K${text.slice(0, (this.#stage.columns ?? 80) - 1)}`);
      } else this.line(text.trimEnd());
    };
    const timer = setInterval(draw, this.#stage.isTTY === true ? DRAW_MS : SILENCE_MS);
    if (this.#stage.isTTY === true) draw();
    return {
      say: (text) => (latest = text),
      stop: () => {
        clearInterval(timer);
        if (this.#stage.isTTY === true) this.#stage.write('\r\u001b[K');
      },
    };
  }
}
