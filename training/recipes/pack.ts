/** `node dist/training/recipes/pack.js RUN NAME`: puts the best policy of a run into agents/zoo/, or of a checkpoint in place of RUN that one. */
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadCheckpoint } from "../../agents/checkpoint-files.ts";
import { packPolicy } from "../../agents/zoo-files.ts";
import { BEST_FILE, CHECKPOINT_FILE } from "../run-files.ts";

const [run, name] = process.argv.slice(2);
if (run === undefined || name === undefined) throw new Error("expected RUN NAME");
const best = join(run, BEST_FILE);
const path = statSync(run).isFile() ? run : existsSync(best) ? best : join(run, CHECKPOINT_FILE);
const checkpoint = loadCheckpoint(path);
writeFileSync(`agents/zoo/${name}.ccpark.gz`, packPolicy(checkpoint));
