export { makeInterpreter as makeWasmProgram } from "./interpreter.ts";
