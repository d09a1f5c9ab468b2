/** Runs the cases of a seed. Each has a name, such as `program:123`, by which it can be run alone. */
import { agreementCase } from "./agreement-case.ts";
import { type Corpus, loadCorpus } from "./corpus.ts";
import { dialogueCase } from "./dialogue-case.ts";
import { Dice } from "./dice.ts";
import { MESSAGES_PER_BLOCK, messageBlock } from "./message-case.ts";
import { programCase } from "./program-case.ts";
import { Tally } from "./tally.ts";

export interface FuzzPlan {
  readonly seed: number;
  readonly programs: number;
  readonly messages: number;
  readonly dialogues: number;
  /** random valid programs that interpreter and WebAssembly must agree on */
  readonly agreements: number;
  /** run only this case */
  readonly only?: string;
}

export interface Finding {
  readonly name: string;
  readonly error: Error;
}

export interface FuzzResult {
  readonly tally: Tally;
  readonly findings: readonly Finding[];
}

const MAX_FINDINGS = 5;
const CASES_PER_TURN = 500;

type RunCase = (index: number, dice: Dice, corpus: Corpus, tally: Tally) => void;

const KINDS: Readonly<Record<string, RunCase>> = {
  program: (index, dice, corpus, tally) => programCase(index, corpus, dice, tally),
  messages: (_, dice, corpus, tally) => messageBlock(MESSAGES_PER_BLOCK, corpus, dice, tally),
  dialogue: (_, dice, corpus, tally) => dialogueCase(corpus, dice, tally),
  agreement: (_, dice, __, tally) => agreementCase(dice, tally),
};

/** Lets finalizers run. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** @param onCase called before each case, so that one that hangs has a name */
export async function runFuzz(
  plan: FuzzPlan,
  onCase: (name: string, done: number, total: number) => void = () => {},
): Promise<FuzzResult> {
  const corpus = loadCorpus();
  const tally = new Tally();
  const findings: Finding[] = [];
  const counts: [kind: string, count: number][] = [
    ["program", plan.programs],
    ["messages", Math.ceil(plan.messages / MESSAGES_PER_BLOCK)],
    ["dialogue", plan.dialogues],
    ["agreement", plan.agreements],
  ];
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  let done = 0;
  const runCase = (kind: string, index: number) => {
    const name = `${kind}:${index}`;
    onCase(name, done, total);
    try {
      KINDS[kind]?.(index, new Dice(plan.seed, name), corpus, tally);
    } catch (error) {
      findings.push({ name, error: error as Error });
    }
    done += 1;
  };
  if (plan.only !== undefined) {
    const [kind = "", index = ""] = plan.only.split(":");
    runCase(kind, Number(index));
    return { tally, findings };
  }
  for (const [kind, count] of counts) {
    for (let i = 0; i < count && findings.length < MAX_FINDINGS; i++) {
      runCase(kind, i);
      if (i % CASES_PER_TURN === 0) await breathe();
    }
  }
  return { tally, findings };
}
