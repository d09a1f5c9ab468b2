/** Where a server tells what happens: facts for machines, a message for people; pino's logger is one. No secrets go in. */
export interface ServerLog {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

const ignore = (): void => undefined;
export const SILENT: ServerLog = { debug: ignore, info: ignore, warn: ignore, error: ignore };
