/** A right that ends unless it is renewed: of a flow to be in a directory, of an agent to decide for its flows. */
import { CcparkError } from "../core/errors.ts";
import type { Micros } from "../core/units.ts";

export class Lease {
  readonly lengthUs: Micros;
  #endsUs: Micros;

  /** @param lengthUs Infinity: it does not end */
  constructor(lengthUs: Micros, nowUs: Micros) {
    if (!(lengthUs > 0)) {
      throw new CcparkError("invalid-argument", `[flows] lease: got ${lengthUs} us, expected more than 0`);
    }
    this.lengthUs = lengthUs;
    this.#endsUs = nowUs + lengthUs;
  }

  get endsUs(): Micros {
    return this.#endsUs;
  }

  isOver(nowUs: Micros): boolean {
    return nowUs >= this.#endsUs;
  }

  /** One that is over stays over. @returns whether it was renewed */
  renew(nowUs: Micros): boolean {
    if (this.isOver(nowUs)) return false;
    this.#endsUs = nowUs + this.lengthUs;
    return true;
  }
}
