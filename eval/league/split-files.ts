/** The links of a split, resolved: presets, templates, and recorded traces where this machine has them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CcparkError } from "../../core/errors.ts";
import type { Scenario } from "../../scenarios/scenario.ts";
import { resolveScenario } from "../../scenarios/scenario-files.ts";
import { fixedScenario } from "../../scenarios/template.ts";
import { loadTrace } from "../../traces/trace-files.ts";
import { findSplit, linkSha256, type Split, type SplitLink, sealOf } from "./splits.ts";

export interface ResolvedSplit {
  readonly links: readonly Scenario[];
  /** links that this machine cannot have, one sentence each */
  readonly skipped: readonly string[];
}

function plain({ name, preset, template }: SplitLink): Scenario {
  if (preset !== undefined) return { ...resolveScenario(preset), name };
  return fixedScenario(template!, { name });
}

const sealable = ({ links }: Split): Scenario[] =>
  links.filter(({ trace }) => trace === undefined).map(plain);

/** What a split is sealed with. */
export function sealOfSplit(split: Split): string {
  return sealOf(sealable(split).map((template) => ({ template })));
}

/**
 * @param traceFolder where recorded traces lie
 * @throws CcparkError (failed-precondition) where a link of it says something else than it was sealed with
 */
export function resolveSplit(split: Split, traceFolder: string): ResolvedSplit {
  const seal = sealOfSplit(split);
  if (seal !== split.sha256) {
    throw new CcparkError(
      "failed-precondition",
      `[league] split ${split.name}: got links with the seal ${seal.slice(0, 12)}, expected ${split.sha256.slice(0, 12)}: a preset has changed, and results would not compare`,
    );
  }
  const skipped: string[] = [];
  const links = split.links.flatMap((link): Scenario[] => {
    if (link.trace === undefined) return [plain(link)];
    const path = join(traceFolder, link.trace);
    if (!existsSync(path)) {
      skipped.push(`${link.name}: no recorded trace ${path} (set CCPARK_TEST_DATA)`);
      return [];
    }
    const { opportunitiesMs } = loadTrace(path);
    const rate = { kind: "trace" as const, name: link.trace, opportunitiesMs };
    const { forward, ...rest } = link.template!;
    return [fixedScenario({ ...rest, forward: { ...(forward as object), rate } }, { name: link.name })];
  });
  return { links, skipped };
}

/** Digest -> name of each link that no training may see. */
export function sealedLinks(): ReadonlyMap<string, string> {
  return new Map(sealable(findSplit("test")).map((scenario) => [linkSha256(scenario), scenario.name]));
}
