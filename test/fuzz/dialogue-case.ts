/**
 * A whole conversation: the dialogues of the vectors with messages changed, lost, doubled and swapped; or a datapath and
 * an agent that talk over a channel that does the same, with the agent restarted now and then.
 */
import type { CcpAgent } from "../../ccp-bridge/agent/agent.ts";
import { CcpDatapath } from "../../ccp-bridge/datapath/datapath.ts";
import type { Corpus } from "./corpus.ts";
import type { Dice } from "./dice.ts";
import { makeFuzzAgent, mutateDatagram } from "./message-case.ts";
import { demand, type Tally } from "./tally.ts";

const STEPS = 40;
const MSS_BYTES = 1448;

function scripted(corpus: Corpus, dice: Dice, tally: Tally): void {
  const agent = makeFuzzAgent(dice, () => tally.add("dialogues: answers"));
  const script = [...dice.pick(corpus.dialogues), ...dice.pick(corpus.dialogues)];
  let nowUs = 0;
  for (let i = 0; i < script.length; i++) {
    nowUs += 1000;
    if (dice.chance(0.1)) continue;
    const at = dice.chance(0.1) ? dice.below(script.length) : i;
    const message = dice.chance(0.3)
      ? mutateDatagram(script[at]!, dice.pick(corpus.datagrams), dice)
      : script[at]!;
    for (let k = dice.chance(0.1) ? 2 : 1; k > 0; k--) agent.receive(message, dice.pick(["a", "b"]), nowUs);
  }
  for (const address of ["a", "b"]) agent.forget(address, nowUs);
  demand(agent.flowCount === 0, () => `${agent.flowCount} flows of forgotten datapaths`);
}

function live(corpus: Corpus, dice: Dice, tally: Tally): void {
  let nowUs = 0;
  let agent: CcpAgent | undefined;
  const toDatapath: Uint8Array[] = [];
  const toAgent: Uint8Array[] = [];
  const trouble = dice.pick([0, 0.02, 0.2]);
  /** Puts a message in a queue, unless it is lost; maybe twice, changed or out of order. */
  const post = (queue: Uint8Array[], message: Uint8Array) => {
    if (dice.chance(trouble)) return;
    for (let k = dice.chance(trouble) ? 2 : 1; k > 0; k--) {
      const sent = dice.chance(trouble)
        ? mutateDatagram(message, dice.pick(corpus.datagrams), dice)
        : message.slice();
      if (dice.chance(trouble)) queue.unshift(sent);
      else queue.push(sent);
    }
  };
  const restart = () => {
    agent = makeFuzzAgent(dice, (message) => post(toDatapath, message));
  };
  restart();
  const mode = dice.pick(["strict", "libccp"] as const);
  const datapath = new CcpDatapath({
    mode,
    nowUs,
    fallbackTimeoutUs: 50_000,
    send: (message) => {
      if (agent === undefined) return -1;
      post(toAgent, message);
      return 0;
    },
  });
  const makeFlow = () => datapath.openFlow({ initCwndBytes: 10 * MSS_BYTES, mssBytes: MSS_BYTES }, nowUs);
  let flows = Array.from({ length: 1 + dice.below(3) }, makeFlow);
  for (let step = 0; step < STEPS; step++) {
    nowUs += dice.below(20_000);
    if (dice.chance(0.03)) agent = undefined;
    else if (agent === undefined && dice.chance(0.3)) restart();
    if (dice.chance(0.05)) {
      const flow = dice.pick(flows);
      datapath.closeFlow(flow.flowId, nowUs);
      flows = flows.map((one) => (one === flow ? makeFlow() : one));
    }
    for (const message of toAgent.splice(0)) agent?.receive(message, "datapath", nowUs);
    for (const message of toDatapath.splice(0)) datapath.receive(message);
    for (const flow of flows) {
      datapath.setPrimitives(flow.flowId, {
        "Ack.bytes_acked": MSS_BYTES * dice.below(10),
        "Flow.rtt_sample_us": dice.below(100_000),
      });
      const code = datapath.invoke(flow, nowUs);
      demand([0, -91, -92, -93, -94, -96, -101].includes(code), () => `invoke: ${code}`);
      tally.add(`dialogues: invoke ${code}`);
    }
  }
  // In strict mode every flow is under control again once there is an agent and the channel is good.
  if (mode === "strict" && trouble === 0) {
    if (agent === undefined) restart();
    for (let i = 0; i < 10; i++) {
      nowUs += 110_000;
      for (const flow of flows) datapath.invoke(flow, nowUs);
      for (const message of toAgent.splice(0)) agent?.receive(message, "datapath", nowUs);
      for (const message of toDatapath.splice(0)) datapath.receive(message);
    }
    nowUs += 1;
    for (const flow of flows) {
      const code = datapath.invoke(flow, nowUs);
      demand(code === 0, () => `flow ${flow.flowId} is not under control again: ${code}`);
    }
    tally.add("dialogues: recovered");
  }
  for (const flow of flows) datapath.closeFlow(flow.flowId, nowUs);
}

export function dialogueCase(corpus: Corpus, dice: Dice, tally: Tally): void {
  if (dice.chance(0.5)) scripted(corpus, dice, tally);
  else live(corpus, dice, tally);
  tally.add("dialogues");
}
