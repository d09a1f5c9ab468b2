/** What a decoder says of a message that it refuses. */
import { CcparkError } from "../../core/errors.ts";

export class WireError extends CcparkError {
  /** byte of the message at which it went wrong */
  readonly offset: number;
  constructor(what: string, offset: number) {
    super("invalid-argument", `[ccp-wire] byte ${offset}: ${what}`);
    this.name = "WireError";
    this.offset = offset;
  }
}
