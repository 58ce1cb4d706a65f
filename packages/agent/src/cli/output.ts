import type { Writable } from 'node:stream';

const BUFFER_CHARACTERS = 64 * 1024;

export type Verbosity = 'quiet' | 'normal' | 'verbose';

export interface OutputSettings {
  readonly isJson: boolean;
  readonly verbosity: Verbosity;
  readonly out: Writable;
  readonly err: Writable;
}

/**
 * What a command prints. Data and results go to standard output: lines for people, or with `--json` one object a
 * line with its `message_type`. Everything else goes to standard error.
 */
export class Output {
  readonly isJson: boolean;
  readonly verbosity: Verbosity;
  readonly #out: Writable;
  readonly #err: Writable;
  #buffer: string[] = [];
  #buffered = 0;
  #isBroken = false;
  /** Clears what a progress bar has drawn, before something else is printed there. */
  #clearProgress: (() => void) | null = null;

  constructor({ isJson, verbosity, out, err }: OutputSettings) {
    this.isJson = isJson;
    this.verbosity = verbosity;
    this.#out = out;
    this.#err = err;
    // Whoever reads (`head`) may stop reading: that is no error of ours.
    out.on('error', () => (this.#isBroken = true));
    err.on('error', () => undefined);
  }

  /** Nobody reads any more: a listing may end. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Whether a progress bar makes sense. */
  get showsProgress(): boolean {
    return !this.isJson && this.verbosity !== 'quiet' && 'isTTY' in this.#err && this.#err.isTTY === true;
  }

  get errorStream(): Writable {
    return this.#err;
  }

  /** One of many: a row of a listing. It may be held back until there are more. */
  row(messageType: string, fields: object, text: () => string): void {
    this.#write(this.isJson ? jsonLine(messageType, fields) : `${text()}\n`);
    if (this.#buffered >= BUFFER_CHARACTERS) this.flush();
  }

  /** What came out in the end. `--quiet` leaves the words away, never the JSON. */
  summary(fields: object, lines: () => readonly string[]): void {
    if (this.isJson) this.#write(jsonLine('summary', fields));
    else if (this.verbosity !== 'quiet') for (const line of lines()) this.#write(`${line}\n`);
    this.flush();
  }

  /** Where a run is; for programs only. */
  status(fields: object): void {
    if (!this.isJson) return;
    this.#write(jsonLine('status', fields));
    this.flush();
  }

  /** Something that went wrong with one thing while the rest goes on. */
  problem(messageType: string, fields: object, text: string): void {
    if (this.isJson) {
      this.#write(jsonLine(messageType, fields));
      this.flush();
    } else {
      this.#writeError(text);
    }
  }

  /** A word to whoever watches. */
  note(text: string): void {
    if (!this.isJson && this.verbosity !== 'quiet') this.#writeError(text);
  }

  /** An error that ended the command: for programs on standard output, for people always. */
  failure(fields: object, lines: readonly string[]): void {
    if (this.isJson) this.#write(jsonLine('error', fields));
    this.flush();
    this.#writeError(lines.join('\n'));
  }

  clearProgressWith(clear: (() => void) | null): void {
    this.#clearProgress = clear;
  }

  flush(): void {
    if (this.#buffered > 0 && !this.#isBroken) this.#out.write(this.#buffer.join(''));
    this.#buffer = [];
    this.#buffered = 0;
  }

  #write(text: string): void {
    this.#buffer.push(text);
    this.#buffered += text.length;
  }

  #writeError(text: string): void {
    this.#clearProgress?.();
    this.#err.write(`${text}\n`);
  }
}

function jsonLine(messageType: string, fields: object): string {
  return `${JSON.stringify({ message_type: messageType, ...fields })}\n`;
}
