/** Where mutations start: programs, datagrams and dialogues of the shared vectors, else a few of our own. */
import { compileProgram } from "../../ccp-bridge/lang/compiler.ts";
import { encodeChangeProg } from "../../ccp-bridge/wire/change-prog.ts";
import { encodeCreate } from "../../ccp-bridge/wire/create.ts";
import { encodeInstall } from "../../ccp-bridge/wire/install.ts";
import { encodeMeasure } from "../../ccp-bridge/wire/measure.ts";
import { encodeReady } from "../../ccp-bridge/wire/ready.ts";
import { encodeUpdateField } from "../../ccp-bridge/wire/update-field.ts";
import { fromHex, loadVectors } from "../ccp-bridge/vectors.ts";

export interface Corpus {
  /** programs that compile */
  readonly accepted: readonly string[];
  readonly refused: readonly string[];
  readonly datagrams: readonly Uint8Array[];
  /** datagrams to an agent, in order */
  readonly dialogues: readonly (readonly Uint8Array[])[];
}

/** What the dialogues' agent runs. */
export const DIALOGUE_PROGRAM =
  "(def (Report (volatile a 0) (volatile b 0)) (c 0))(when true (:= Report.a Ack.bytes_acked) (report))";

const PROGRAMS = [
  DIALOGUE_PROGRAM,
  `(def (Report (volatile acked 0) (rtt 0)) (gain 3) (volatile seen false))
   (when true (:= Report.acked (+ Report.acked Ack.bytes_acked)) (:= Report.rtt (ewma 8 Flow.rtt_sample_us)) (fallthrough))
   (when (|| Flow.was_timeout (> Micros Flow.rtt_sample_us)) (report) (:= Micros 0) (:= Cwnd (max Cwnd (* gain 1448))))`,
  `(def (Report (low +infinity)) (x 5))
   (when (< Flow.rtt_sample_us Report.low) (:= Report.low (if (> Flow.rtt_sample_us 0) Flow.rtt_sample_us)) (fallthrough))
   (when (&& (> x 1) (== x 5)) (:= Rate (/ Flow.rate_incoming x)) (:= y (wrapped_max Ack.now x)) (report))`,
];

function ownDatagrams(): Uint8Array[] {
  const create = {
    flowId: 1,
    initCwndBytes: 14_480,
    mssBytes: 1448,
    srcIp: 1,
    srcPort: 2,
    dstIp: 3,
    dstPort: 4,
  };
  const updates = [
    { registerType: 2, index: 4, value: 28_960 },
    { registerType: 0, index: 0, value: 7 },
  ];
  return [
    encodeReady({ datapathId: 1 }),
    encodeCreate({ ...create, algorithmName: "reno" }),
    encodeMeasure({ flowId: 1, programUid: 1, fields: [1n, 2n ** 63n] }),
    encodeMeasure({ flowId: 1, programUid: 0, fields: [] }),
    encodeUpdateField({ flowId: 1, updates }),
    encodeChangeProg({ flowId: 1, programUid: 1, updates }),
    ...PROGRAMS.map((source, i) => encodeInstall(i + 1, compileProgram(source))),
  ];
}

export function loadCorpus(): Corpus {
  const vectors = loadVectors();
  const own = ownDatagrams();
  const [ready, create, measure, close] = own as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const compiled = vectors?.compile ?? [];
  // The first entry only says what the others are.
  const scripts = (vectors?.agent ?? []).filter((one) => one.steps !== undefined);
  const dialogues = scripts.map((one) => one.steps.map((step) => step.send));
  const hexes = [
    ...(vectors?.messages ?? []).map((one) => one.hex).filter((hex) => !hex.startsWith("ERR")),
    ...(vectors?.vm ?? []).flatMap((one) => one.steps.flatMap((step) => step.hex ?? [])),
    ...dialogues.flat(),
  ];
  return {
    accepted: [...PROGRAMS, ...compiled.filter((one) => one.result === "ok").map((one) => one.source)],
    refused: compiled.filter((one) => one.result !== "ok").map((one) => one.source),
    datagrams: [...own, ...[...new Set(hexes)].map(fromHex)],
    dialogues: [
      [ready, create, measure, measure, close],
      [create, measure, ready, measure, create, measure],
      ...dialogues.map((sends) => sends.map(fromHex)),
    ],
  };
}
