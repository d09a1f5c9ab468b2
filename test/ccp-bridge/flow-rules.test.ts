import { describe, expect, it } from "vitest";
import { CcpAgent } from "../../ccp-bridge/agent/agent.ts";
import type { CcpAlgorithm, FlowInfo } from "../../ccp-bridge/agent/algorithm.ts";
import { chooseByRules, parseFlowRule, parseFlowSelector } from "../../ccp-bridge/agent/flow-rules.ts";
import { encodeCreate } from "../../ccp-bridge/wire/create.ts";
import { CcparkError } from "../../core/errors.ts";
import { Rng } from "../../core/random.ts";

const info = (fields: Partial<FlowInfo>): FlowInfo => ({
  flowId: 1,
  initCwndBytes: 14_480,
  mssBytes: 1448,
  srcIp: 0,
  srcPort: 0,
  dstIp: 0,
  dstPort: 0,
  nowUs: 0,
  host: "here",
  name: "",
  weight: 1,
  aggregates: [],
  rng: Rng.fromSeed(1),
  ...fields,
});

describe("rules for flows", () => {
  it("match ports and addresses in the byte order of the host and of the network", () => {
    const port = parseFlowRule("dst-port:5001=cubic");
    expect(port.algorithm).toBe("cubic");
    expect(port.matches(info({ dstPort: 5001 }))).toBe(true);
    expect(port.matches(info({ dstPort: 0x8913 }))).toBe(true);
    expect(port.matches(info({ dstPort: 5002, srcPort: 5001 }))).toBe(false);
    const network = parseFlowRule("src-ip:192.168.0.0/16=bbr");
    expect(network.matches(info({ srcIp: 0xc0a8_0105 }))).toBe(true);
    expect(network.matches(info({ srcIp: 0x0501_a8c0 }))).toBe(true);
    expect(network.matches(info({ srcIp: 0xc0a9_0105 }))).toBe(false);
    expect(parseFlowRule("dst-ip:127.0.0.1=reno").matches(info({ dstIp: 0x0100_007f }))).toBe(true);
    expect(parseFlowRule("dst-ip:0.0.0.0/0=reno").matches(info({ dstIp: 5 }))).toBe(true);
  });

  it("are tried in order", () => {
    const rules = ["dst-port:1=a", "src-port:2=b", "dst-port:3=c"].map(parseFlowRule);
    const choose = chooseByRules(rules);
    expect(choose(info({ srcPort: 2, dstPort: 3 }))).toBe("b");
    expect(choose(info({ dstPort: 4 }))).toBeUndefined();
  });

  it.each([
    "dst-port=cubic",
    "port:1=cubic",
    "dst-port:65536=cubic",
    "dst-port:x=cubic",
    "dst-ip:1.2.3=cubic",
    "dst-ip:1.2.3.256=cubic",
    "dst-ip:1.2.3.4/33=cubic",
    "dst-port:1=",
  ])("that make no sense are refused: %s", (text) => {
    expect(() => parseFlowRule(text)).toThrow(CcparkError);
  });

  it("give way to the name in the create message, and come before the default", () => {
    const started: string[] = [];
    const algorithm = (name: string): CcpAlgorithm => ({
      name,
      programs: {},
      newFlow: () => {
        started.push(name);
        return { onReport() {} };
      },
    });
    const agent = new CcpAgent({
      algorithms: [algorithm("one"), algorithm("two"), algorithm("three")],
      send: () => {},
      choose: chooseByRules([parseFlowRule("dst-port:5001=two")]),
    });
    const create = (flowId: number, dstPort: number, algorithmName: string) =>
      agent.receive(encodeCreate({ ...info({ flowId, dstPort }), algorithmName }), "datapath", 0);
    create(1, 5001, "three");
    create(2, 5001, "unheard of");
    create(3, 80, "");
    expect(started).toEqual(["three", "two", "one"]);
  });
});

describe("selectors of flows", () => {
  it("are true where all of their parts are", () => {
    const selects = parseFlowSelector("dst=10.0.0.0/8,dport=5201");
    expect(selects(info({ dstIp: 0x0a01_0203, dstPort: 5201 }))).toBe(true);
    expect(selects(info({ dstIp: 0x0a01_0203, dstPort: 5202 }))).toBe(false);
    expect(selects(info({ dstIp: 0x0b01_0203, dstPort: 5201 }))).toBe(false);
    expect(parseFlowSelector("sport=22")(info({ srcPort: 22 }))).toBe(true);
  });

  it.each(["", "dport", "dport=70000", "port=5", "dst=1.2.3"])("refuse `%s` in one sentence", (text) => {
    expect(() => parseFlowSelector(text)).toThrow(/expected dport, sport, dst, src with a port or/);
  });
});
