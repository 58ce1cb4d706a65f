import type { Log } from '@cofre/server/log';

/** Keeps what was logged, for tests to look at. */
export class KeptLog implements Log {
  readonly lines: { level: string; fields: object; message: string }[] = [];

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', fields, message });
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields, message });
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields, message });
  }

  fatal(fields: object, message: string): void {
    this.lines.push({ level: 'fatal', fields, message });
  }
}
