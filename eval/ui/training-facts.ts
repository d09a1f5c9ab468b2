/** What the page says of a folder of `ccpark train`: its evaluations on validation links, in the words of its report. */
import { join } from "node:path";
import { type LearningPoint, learningNote, learningVerdict, learningWarning } from "../learning/learning.ts";
import { jsonLinesOf } from "./json-lines.ts";

export const EVALUATIONS_FILE = "evaluations.jsonl";

export function evaluationsOf(path: string): LearningPoint[] {
  return jsonLinesOf<LearningPoint>(join(path, EVALUATIONS_FILE));
}

function sentence(text: string): string[] {
  return text === "" ? [] : [`${text.charAt(0).toUpperCase()}${text.slice(1)}.`];
}

/** Empty while nothing was evaluated. */
export function trainingSentences(path: string): string[] {
  const evaluations = evaluationsOf(path);
  return [learningVerdict(evaluations), learningNote(evaluations), learningWarning(evaluations)].flatMap(
    sentence,
  );
}
