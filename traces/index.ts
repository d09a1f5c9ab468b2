/** Link traces: Mahimahi's format, generators, importer and linter. */

export { type ImportedTrace, type ImportOptions, importTrace } from "./capacity/import.ts";
export { type GenerateTraceOptions, generateTrace, TRACE_MODELS } from "./generate.ts";
export { lintTrace, type TraceFinding } from "./lint.ts";
export { formatMahimahiTrace, type MahimahiTrace, parseMahimahiTrace, TraceError } from "./mahimahi.ts";
export { regeneratePoisson } from "./poisson.ts";
export { SHIPPED_TRACES } from "./shipped.ts";
export { loadTrace } from "./trace-files.ts";
