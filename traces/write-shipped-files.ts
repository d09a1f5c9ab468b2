/** `npx tsx traces/write-shipped-files.ts [directory]` writes the shipped traces anew; README.md has the options of each. */
import { writeShippedTraces } from "./trace-files.ts";

writeShippedTraces(process.argv[2]);
