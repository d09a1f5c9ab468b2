import { choice } from "../options.ts";

/** Those whose rate can stand for a whole site's. */
export const algorithmOption: ReturnType<typeof choice> = choice("nimbus", ["nimbus", "copa", "bbr"], {
  help: "of the sendbox; nimbus detects cross traffic that answers, and competes then",
});
