/** An agent that dies or hangs between create and its first program. */
import { describe, expect, it } from "vitest";
import { CcpDatapath } from "../../ccp-bridge/datapath/datapath.ts";
import { MESSAGE_TYPES } from "../../ccp-bridge/wire/header.ts";

const FLOW = { initCwndBytes: 14_480, mssBytes: 1448 };

/** Invokes every 100 ms for 5 s; the type of each message and its time in ms. */
function messagesOf(mode: "strict" | "libccp", send: (type: number) => number): [number, number][] {
  const sent: [number, number][] = [];
  const datapath = new CcpDatapath({
    nowUs: 0,
    mode,
    send: (message, nowUs) => {
      sent.push([message[0]!, nowUs / 1000]);
      return send(message[0]!);
    },
  });
  const flow = datapath.openFlow(FLOW, 0);
  for (let ms = 0; ms <= 5000; ms += 100) datapath.invoke(flow, ms * 1000);
  return sent.filter(([type]) => type === MESSAGE_TYPES.create);
}

describe("a create without an answer", () => {
  it("is sent again each time the fallback time is over", () => {
    const times = messagesOf("strict", () => 0).map(([, ms]) => ms);
    expect(times).toEqual([0, 1000, 2000, 3000, 4000, 5000]);
  });

  it("is sent once by libccp", () => {
    expect(messagesOf("libccp", () => 0)).toHaveLength(1);
  });
});
