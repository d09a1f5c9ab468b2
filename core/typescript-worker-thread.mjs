// A worker thread that runs TypeScript, which needs a loader of its own there: the first argument is the URL of the module.
import { argv } from "node:process";
import { register } from "tsx/esm/api";

register();
await import(argv[2]);
