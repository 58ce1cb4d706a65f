/**
 * Where the server says what happens. Fields hold ids, counts and codes: never a credential, a one-time code, a name
 * that a customer chose, or the body of anything.
 */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  fatal(fields: object, message: string): void;
}
