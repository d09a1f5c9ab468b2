#!/usr/bin/env node
/** `ccpark serve` alone: what the Python package carries, so that it needs no other command's libraries. */
import { Command } from "commander";
import { addServe } from "./commands/serve.ts";
import { runProgram } from "./run-program.ts";
import { packageVersion } from "./version.ts";

const program = new Command("ccpark").version(packageVersion()).exitOverride();
addServe(program);
await runProgram(program);
