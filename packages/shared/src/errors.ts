import { ERROR_CATALOGUE, type ErrorCode } from './errors/catalogue.ts';

export type { ErrorCode } from './errors/catalogue.ts';
export type Language = 'en' | 'es';
export type ErrorParameters = Readonly<Record<string, string | number>>;

/**
 * Every failure that a person or a program is meant to see. The code is stable; message and hint come from
 * the catalogue in the reader's language, with `{name}` places filled from the parameters. Parameters must
 * hold nothing secret, and names of files only as `displayName` gives them.
 */
export class CofreError extends Error {
  readonly code: ErrorCode;
  readonly parameters: ErrorParameters;

  constructor(code: ErrorCode, parameters: ErrorParameters = {}, options?: { cause?: unknown }) {
    super(describe(code, parameters, 'en').message, options);
    this.name = 'CofreError';
    this.code = code;
    this.parameters = parameters;
  }

  /** Whether the same call may succeed later without anybody changing anything. */
  get retryable(): boolean {
    return ERROR_CATALOGUE[this.code].retryable ?? false;
  }

  get httpStatus(): number {
    return ERROR_CATALOGUE[this.code].http;
  }

  get exitCode(): number {
    return ERROR_CATALOGUE[this.code].exit;
  }

  describe(language: Language): { message: string; hint: string } {
    return describe(this.code, this.parameters, language);
  }
}

/** Whether `value` names an error of the catalogue: a newer server may send codes that we don't know. */
export function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(ERROR_CATALOGUE, value);
}

function describe(code: ErrorCode, parameters: ErrorParameters, language: Language) {
  const [message, hint] = ERROR_CATALOGUE[code][language];
  return { message: fill(message, parameters), hint: fill(hint, parameters) };
}

function fill(template: string, parameters: ErrorParameters): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => String(parameters[name] ?? place));
}
