/**
 * What every registered learner promises, on the toy environment: it learns, stops between two updates, comes back from a
 * checkpoint to the same bytes, and refuses options and checkpoints that are not its own.
 */
import { describe, expect, it } from "vitest";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../../agents/checkpoint.ts";
import type { Learner, LearnerSpec, Progress } from "../../agents/learner.ts";
import type { RecordedData } from "../../agents/nn/offline/recorded.ts";
import { CcparkError } from "../../core/errors.ts";
import { greedyReturn, makeToyEnv, toyDataset } from "../agents/toy-env.ts";

const FACTS = [
  "episodes",
  "losses",
  "meanEpisodeReturn",
  "meanQueueDelayMs",
  "meanScore",
  "meanUtilisation",
  "steps",
  "totalSteps",
];

export interface LearnerContract {
  /** with which it learns the toy environment */
  readonly toy: Readonly<Record<string, unknown>>;
  readonly toySteps: number;
  /** small networks and short updates; a reset every second update */
  readonly small: Readonly<Record<string, unknown>>;
}

/** Actions of the toy: a force in a box, or one of three choices. */
const FORMS = [
  // an untrained policy gets about -40, a controller tuned by hand about -0.8
  { form: "a box", choices: false, learntReturn: -1.2 },
  // a random policy gets about -50, one tuned by hand -2.4; full force only, so it cannot come to rest as gently
  { form: "choices", choices: true, learntReturn: -1.8 },
];

function expectRefused(run: () => unknown, message: string | RegExp): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(CcparkError);
    expect((error as CcparkError).message).toMatch(message);
    return;
  }
  throw new Error("not refused");
}

/** Declares the suite. */
export function learnerContract(spec: LearnerSpec, contract: LearnerContract): void {
  for (const form of FORMS) {
    const learns = spec.actions.includes(form.choices ? "discrete" : "box");
    (learns ? learnerContractOver : refusalContract)(form, spec, contract);
  }
}

/** Of actions that it does not learn over. */
function refusalContract(
  { form, choices }: (typeof FORMS)[number],
  spec: LearnerSpec,
  { small }: LearnerContract,
): void {
  it(`learner ${spec.name} refuses ${form}`, () => {
    const { observationSpace, actionSpace } = makeToyEnv({ choices });
    expectRefused(
      () => spec.make({ observationSpace, actionSpace, options: small, seed: 3 }),
      choices ? "got choices, expected a box" : "got a box, expected choices",
    );
  });
}

function learnerContractOver(
  { form, choices, learntReturn }: (typeof FORMS)[number],
  spec: LearnerSpec,
  { toy, toySteps, small }: LearnerContract,
): void {
  const { needs } = spec;
  const dataset = needs?.dataset === "required" ? toyDataset(choices) : undefined;
  const spaces = (): ReturnType<typeof makeToyEnv> & { readonly dataset?: RecordedData } => ({
    ...makeToyEnv({ choices, teacher: needs?.teacher === true, central: needs?.flows === true ? 12 : 0 }),
    dataset,
  });
  const make = (options: Readonly<Record<string, unknown>>): Learner => {
    const { observationSpace, actionSpace } = spaces();
    return spec.make({ observationSpace, actionSpace, options, seed: 3, dataset });
  };
  const copyOf = (checkpoint: Checkpoint): Checkpoint =>
    decodeCheckpoint(encodeCheckpoint(checkpoint), "memory");
  /** Learns until so many updates are done in all; `totalSteps` is that of the whole run. */
  const learn = async (learner: Learner, totalSteps: number, updates = Infinity): Promise<Progress[]> => {
    const lines: Progress[] = [];
    for await (const line of learner.learn(spaces(), totalSteps)) {
      lines.push(line);
      if (learner.updates >= updates) break;
    }
    return lines;
  };

  describe(`learner ${spec.name} over ${form}`, () => {
    it("says what it is, and its defaults and tuned values are valid", () => {
      for (const text of [spec.title, spec.source, spec.summary]) expect(text).not.toBe("");
      expect(Object.keys(spec.defaults).sort()).toEqual(Object.keys(spec.options).sort());
      spec.checkOptions(spec.defaults);
      spec.checkOptions(spec.tuned);
    });

    it("learns", async () => {
      const learner = make(toy);
      const begin = (): void => learner.begin(0);
      const greedy = (): number => greedyReturn((o) => learner.act(o, "greedy", 0), { choices, begin });
      const before = greedy();
      const random = greedyReturn((o) => learner.act(o, "explore", 0), { choices, begin });
      await learn(learner, toySteps);
      expect(before).toBeLessThan(learntReturn);
      expect(random).toBeLessThan(10 * learntReturn);
      expect(greedy()).toBeGreaterThan(learntReturn);
    });

    it("gives one line per update: the common facts, and losses that are numbers", async () => {
      const learner = make(small);
      const lines = await learn(learner, 2048);
      expect(lines).toHaveLength(learner.updates);
      expect(lines.at(-1)!.steps).toBe(learner.steps);
      for (const line of lines) {
        expect(Object.keys(line).sort()).toEqual(FACTS);
        for (const loss of Object.values(line.losses)) expect(typeof loss).toBe("number");
      }
    });

    it("resumes to the bytes of a run that was never interrupted", async () => {
      const whole = make(small);
      const lines = await learn(whole, 2048);
      const cut = make(small);
      await learn(cut, 2048, 4);
      const resumed = spec.load(copyOf(cut.checkpoint()), { ...spaces(), options: small });
      expect(await learn(resumed, 2048)).toEqual(lines.slice(4));
      expect(encodeCheckpoint(resumed.checkpoint())).toEqual(encodeCheckpoint(whole.checkpoint()));
    });

    it("makes a policy of a checkpoint that acts as the learner", async () => {
      const learner = make(small);
      await learn(learner, 512);
      const policy = spec.policy(copyOf(learner.checkpoint()), spaces(), 1);
      for (const x of [-1, -0.1, 0, 0.7]) {
        const observation = new Float32Array(spaces().observationSpace.shape[0]).fill(x);
        policy.begin(0);
        learner.begin(0);
        expect(policy.act(observation, "greedy", 0)).toEqual(learner.act(observation, "greedy", 0));
      }
    });

    it("refuses options that it does not have, whatever they are called", () => {
      for (const name of ["constructor", "__proto__", "toString", "noSuchOption"]) {
        const given: unknown = JSON.parse(`{"${name}":1}`);
        expectRefused(() => spec.checkOptions(given as Record<string, unknown>), name);
      }
    });

    it("refuses a state that is not its own", () => {
      const checkpoint = make(small).checkpoint();
      const { header, arrays } = checkpoint;
      const load = (changed: Partial<Checkpoint>): Learner =>
        spec.load({ ...checkpoint, ...changed }, { ...spaces(), options: small });
      expectRefused(() => load({ header: { ...header, state: {} } }), `state of \`${spec.name}\``);
      for (const name of Object.keys(header.state)) {
        const state = { ...header.state, [name]: "other" };
        expectRefused(() => load({ header: { ...header, state } }), name);
      }
      for (const name of Object.keys(arrays)) {
        const { [name]: array, ...rest } = arrays;
        expectRefused(() => load({ arrays: rest }), `array \`${name}\`: got no numbers`);
        const longer = new Float32Array(array!.length + 1);
        expectRefused(() => load({ arrays: { ...rest, [name]: longer } }), `array \`${name}\`: got`);
      }
    });

    it("refuses weights that are not finite, by their name", () => {
      const { header, arrays } = make(small).checkpoint();
      const policy = arrays["policy"]!.slice();
      policy[3] = Number.NaN;
      const broken = { header, arrays: { ...arrays, policy } };
      expectRefused(() => encodeCheckpoint(broken), "got NaN in array `policy`");
    });

    it("refuses spaces of other shapes, with both", () => {
      const checkpoint = make(small).checkpoint();
      const other = makeToyEnv({ observations: 5, choices });
      expectRefused(() => spec.load(checkpoint, other), /observation shape \[32\].*observation shape \[5\]/);
      expectRefused(() => spec.policy(checkpoint, other, 1), /observation shape \[32\]/);
      const otherForm = makeToyEnv({ choices: !choices });
      expectRefused(
        () => spec.load(checkpoint, otherForm),
        choices ? /3 choices in the/ : /expected.*3 choices/,
      );
    });
  });
}
