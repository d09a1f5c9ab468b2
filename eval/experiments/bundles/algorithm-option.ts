import { resolveAlgorithm } from "../../../algorithms/reference.ts";
import { CcparkError } from "../../../core/errors.ts";
import type { ExperimentOption } from "../options.ts";

/** Of the sendbox, by reference: one whose rate can stand for a whole site's. */
export const algorithmOption: ExperimentOption<string> = {
  placeholder: "algorithm",
  help: "of the sendbox, such as copa or nimbus:pulse=0.1; nimbus detects cross traffic that answers, and competes then, or with passes=1 lets its senders compete",
  initial: "nimbus:passes=1,holdSec=10",
  format: String,
  parse(text) {
    try {
      resolveAlgorithm(text);
    } catch (error) {
      if (!(error instanceof CcparkError)) throw error;
      const why = error.message.replace(/^\[\w+\] /, "");
      throw new CcparkError("invalid-argument", `expected an algorithm: ${why}`);
    }
    return text;
  },
};
