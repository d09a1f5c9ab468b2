import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { portusBbr } from "../../algorithms/portus/bbr.ts";
import { portusConst } from "../../algorithms/portus/const.ts";
import { portusReno } from "../../algorithms/portus/reno.ts";
import { portusVegas } from "../../algorithms/portus/vegas.ts";
import { CcpAgent } from "../../ccp-bridge/agent/agent.ts";
import type { CcpAlgorithm } from "../../ccp-bridge/agent/algorithm.ts";
import { decodeInstall } from "../../ccp-bridge/wire/install.ts";
import { sharedData } from "../shared-data.ts";

interface RunEvent {
  readonly t: number;
  readonly ev: string;
  readonly type?: string;
  readonly hex?: string;
  readonly program_uid?: number;
  readonly num_events?: number;
  readonly num_instrs?: number;
}

const TWINS: Readonly<Record<string, CcpAlgorithm>> = {
  reno_rtt: portusReno(),
  reno_ack: portusReno({ report: "ack" }),
  reno_timeout: portusReno(),
  vegas: portusVegas(),
  const_cwnd: portusConst({ cwndPackets: 20 }),
  bbr: portusBbr(),
};

const file = sharedData("ccp/agent-runs.json");

/** Which program a uid stands for: events and instructions tell the programs of one algorithm apart. */
function shapes(installs: readonly { uid: number; events: number; instructions: number }[]) {
  return new Map(installs.map(({ uid, events, instructions }) => [uid, `${events}/${instructions}`]));
}

/** What a message says, with the program's shape in place of its uid. */
function normalise(message: Uint8Array, shapeOf: ReadonlyMap<number, string>): string {
  const hex = Buffer.from(message).toString("hex");
  if (message[0] !== 4) return hex;
  const uid = Buffer.from(message).readUInt32LE(8);
  return `${hex.slice(0, 16)}<${shapeOf.get(uid)}>${hex.slice(24)}`;
}

describe.skipIf(file === undefined)("the twins of published algorithms", () => {
  const { runs } = JSON.parse(file === undefined ? "{}" : readFileSync(file, "utf8")) as {
    readonly runs: Readonly<Record<string, { readonly events: readonly RunEvent[] }>>;
  };

  it.each(Object.keys(TWINS))("answer as recorded in %s", (name) => {
    const { events } = runs[name]!;
    const recordedShapes = shapes(
      events
        .filter((event) => event.type === "install")
        .map((event) => ({
          uid: event.program_uid!,
          events: event.num_events!,
          instructions: event.num_instrs!,
        })),
    );
    const sent: Uint8Array[] = [];
    const agent = new CcpAgent({ algorithms: [TWINS[name]!], send: (message) => sent.push(message) });

    agent.receive(Buffer.from(events[0]!.hex!, "hex"), "datapath", 0);
    const ourShapes = shapes(
      sent.splice(0).map((message) => {
        const install = decodeInstall(message);
        return {
          uid: install.programUid,
          events: install.events.length,
          instructions: install.instructions.length,
        };
      }),
    );
    expect([...ourShapes.values()].sort()).toEqual([...recordedShapes.values()].sort());
    const ourUid = new Map([...ourShapes].map(([uid, shape]) => [shape, uid]));

    const expected: string[] = [];
    const got: string[] = [];
    let answers = 0;
    for (const event of events.slice(1)) {
      if (event.ev === "recv" && (event.type === "change_prog" || event.type === "update_field")) {
        expected.push(`${event.t} ${normalise(Buffer.from(event.hex!, "hex"), recordedShapes)}`);
        answers += 1;
      }
      if (event.ev !== "send") continue;
      const message = Buffer.from(event.hex!, "hex");
      const shape = recordedShapes.get(event.program_uid ?? -1);
      if (event.type === "measure" && shape !== undefined) message.writeUInt32LE(ourUid.get(shape)!, 8);
      agent.receive(message, "datapath", event.t);
      for (const answer of sent.splice(0)) got.push(`${event.t} ${normalise(answer, ourShapes)}`);
    }
    expect(got).toEqual(expected);
    expect(answers).toBeGreaterThan(0);
    expect(agent.counters).toMatchObject({ stale: 0, malformed: 0, unknownFlow: 0 });
    expect(agent.flowCount).toBe(0);
  });
});
