#!/usr/bin/env node
/** `ccpark`. */
import { start } from "./whole/start.ts";

await start();
