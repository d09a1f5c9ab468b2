#!/usr/bin/env node
/** `ccpark`: from here on Ctrl-C ends it with its exit code. Everything else is loaded after that, which takes a while. */
import { exitOnInterrupt } from "./console.ts";

exitOnInterrupt();
const { runProgram } = await import("./run-program.ts");
const { makeProgram } = await import("./program.ts");
await runProgram(makeProgram());
