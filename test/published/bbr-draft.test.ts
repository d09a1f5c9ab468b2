/** The test cases of draft-ietf-ccwg-bbr, each as its file says it, with BBRv3 in the datapath and over CCP. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveAlgorithm } from "../../algorithms/reference.ts";
import { algorithmContender } from "../../eval/contenders/algorithm-contender.ts";
import { type CaseContender, caseFile, findCaseSuite } from "../../eval/suites/case-suite.ts";
import { findSuite, suiteScenarios } from "../../scenarios/presets/suites.ts";
import { resolveScenarios } from "../../scenarios/scenario-files.ts";
import { validateScenario } from "../../scenarios/validate.ts";

const FOLDER = join(import.meta.dirname, "bbr-draft");
const published = findSuite("bbr-draft");
const suite = findCaseSuite(published)!;
const files = readdirSync(FOLDER).sort();
const TIMEOUT_MS = 120_000;

function contender(reference: string): CaseContender {
  return { reference, contender: algorithmContender(resolveAlgorithm(reference)) };
}

interface CaseFile {
  readonly description: string;
  readonly scenario: Parameters<typeof validateScenario>[0];
  readonly thresholds: readonly { readonly quantity: string; readonly unit: string }[];
}

function read(file: string): CaseFile {
  return JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
}

describe("the test cases of draft-ietf-ccwg-bbr", () => {
  it("are 22, and their files are what `bench --suite bbr-draft --out` writes", () => {
    const entries = resolveScenarios(suiteScenarios(published, false));
    const written = entries.map((entry) => caseFile(suite, entry.of(1)));
    expect(files).toHaveLength(22);
    expect(files.map((file) => readFileSync(join(FOLDER, file), "utf8"))).toEqual(written);
  });

  describe.each(suite.algorithms)("%s", (name) => {
    const algorithm = contender(name);
    it.each(files.map((file) => [file.slice(0, 2), read(file).description, file] as const))(
      "%s %s",
      async (_number, _description, file) => {
        const { scenario, thresholds } = read(file);
        const { record } = await suite.run(validateScenario(scenario), algorithm, { seed: 1, qlog: false });
        expect(record.checks.filter(({ verdict }) => verdict === "fail")).toEqual([]);
        expect(record.verdict).toBe("pass");
        expect(record.checks.map((made) => made.name)).toEqual(thresholds.map(({ quantity }) => quantity));
      },
      TIMEOUT_MS,
    );
  });

  it("are about BBRv3 alone: another algorithm is refused with one sentence", () => {
    const scenario = resolveScenarios(["bbr-draft/01-startup-plateau"])[0]!.of(1);
    expect(() => suite.run(scenario, contender("cubic"), { seed: 1, qlog: false })).toThrow(
      "[suite] bbr-draft looks at the states of BBRv3: got `cubic`, expected bbr3 or native-bbr3",
    );
  });

  it("a run's qlog tells the changes of state", async () => {
    const scenario = resolveScenarios(["bbr-draft/01-startup-plateau"])[0]!.of(1);
    const { qlog = "" } = await suite.run(scenario, contender("native-bbr3"), { seed: 1, qlog: true });
    const events = qlog
      .split("\u001e")
      .slice(1)
      .map((line) => JSON.parse(line));
    expect(events[0].qlog_format).toBe("JSON-SEQ");
    expect(events.map(({ data }) => data?.new)).toContain("probe-bw-cruise");
  });
});
