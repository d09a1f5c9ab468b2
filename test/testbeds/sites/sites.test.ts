/** Two sites behind gateways, an emulated link between them, and the boxes of `ccpark bundle` on the gateways. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fromMbps } from "../../../core/units.ts";
import { type EmulatedLink, openLink } from "../../../testbeds/emulated/open-link.ts";
import { loadLibc } from "../../../testbeds/host/libc.ts";
import { makeNamespace } from "../../../testbeds/host/namespaces.ts";
import { type Host, Hosts } from "../../../testbeds/linux/hosts.ts";
import { decodeMessage, encodeMessage } from "../../../testbeds/sites/messages.ts";
import { parsePolicy } from "../../../testbeds/sites/policy.ts";
import { linkOf, median, sleep } from "../emulated/rig.ts";
import { HoldUps, MOST_HELD_UP } from "../host/hold-ups.ts";
import { describeWithLinks } from "../host/with-links.ts";

const CLI = ["--import", "tsx", "cli/main.ts"];
const folder = mkdtempSync(join(tmpdir(), "ccpark-sites-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const POLICY = "device: eth1\nlocal: 10.1.0.0/16\nremote: 10.2.0.0/16\npeer: 192.0.2.2\nalgorithm: copa\n";

describe("a policy", () => {
  it("says with its defaults what the boxes do, disciplines by their short names too", () => {
    expect(parsePolicy(POLICY, "a.yaml")).toEqual({
      device: "eth1",
      local: { address: "10.1.0.0", bits: 16 },
      remote: { address: "10.2.0.0", bits: 16 },
      peer: "192.0.2.2",
      algorithm: "copa",
      port: 9700,
      queue: { packets: 2000, discipline: { kind: "sfq" } },
      priorities: [],
      epochsPerRtt: 4,
    });
    for (const [short, kind] of Object.entries({
      fifo: "drop-tail",
      sfq: "sfq",
      "fq-codel": "fq-codel",
      drr: "drr",
      priority: "strict-priority",
    })) {
      expect(parsePolicy(`${POLICY}queue: { discipline: ${short} }`, "a").queue.discipline).toEqual({ kind });
    }
    const full = `${POLICY}queue: { discipline: { kind: priority, bands: 4 }, bytes: 90000 }\nsampling: { epochsPerRtt: 8 }\npriorities: [{ port: 22, priority: 0 }]`;
    expect(parsePolicy(full, "a")).toMatchObject({
      queue: { bytes: 90_000, discipline: { kind: "strict-priority", bands: 4 } },
      epochsPerRtt: 8,
      priorities: [{ port: 22, priority: 0 }],
    });
  });

  it("is refused with the field, what it got, and what it expected", () => {
    const refusal = (more: string): string => {
      try {
        parsePolicy(POLICY + more, "a.yaml");
      } catch (error) {
        return (error as Error).message;
      }
      return "taken";
    };
    expect(refusal("queue: { packets: 0 }")).toBe("[bundle] a.yaml: queue.packets: got 0, expected >= 1");
    expect(refusal("queue: { discipline: codl }")).toContain(
      'queue.discipline.kind: got "codl", expected one of',
    );
    expect(refusal("priorities: [{ priority: 0 }]")).toContain("`port` or `dscp`");
    expect(refusal("remot: 10.2.0.0/16")).toContain("did you mean `remote`?");
    expect(() => parsePolicy(POLICY.replace("algorithm", "algoritm"), "a.yaml")).toThrow(
      '[bundle] a.yaml: algoritm: got "copa", expected no such field; did you mean `algorithm`?',
    );
    expect(refusal("address: 10.1.0.300")).toContain("an IPv4 address");
    expect(() => parsePolicy(POLICY.replace("10.2.0.0/16", "10.2.0.1/16"), "a.yaml")).toThrow(
      '[bundle] a.yaml: remote: got "10.2.0.1/16", expected a prefix, such as 10.1.0.0/16',
    );
    expect(refusal("queue: [")).toMatch(/^\[bundle\] a\.yaml, line \d+: /);
  });
});

describe("messages of boxes", () => {
  it("are what was sent, and nothing else is one", () => {
    const ack = { kind: "ack", ack: { boxId: 7, hash: 0xfedcba98, receivedBytes: 2 ** 40 + 1 } } as const;
    for (const message of [ack, { kind: "epoch", packets: 64 } as const]) {
      const bytes = encodeMessage(message);
      expect(decodeMessage(bytes, bytes.length)).toEqual(message);
      expect(decodeMessage(bytes, bytes.length - 1)).toBeUndefined();
      bytes[0] = 0;
      expect(decodeMessage(bytes, bytes.length)).toBeUndefined();
    }
  });
});

const ip = (command: string): void => {
  execFileSync("ip", command.split(" "), { stdio: "pipe" });
};

/** A host of each site behind the link's ends, which are the gateways. */
async function makeSites(link: EmulatedLink): Promise<{ hosts: readonly [Host, Host]; close: () => void }> {
  const libc = await loadLibc();
  const spaces: { close(): void }[] = [];
  const hosts = [link.client, link.server].map((gateway, i) => {
    const namespace = makeNamespace(libc, `site-${i}`);
    spaces.push(namespace);
    const network = `10.${i + 1}.0`;
    const name = `s${process.pid}-${i}`;
    ip(
      `link add ${name}h netns ${namespace.name} type veth peer name ${name}g netns ${gateway.namespace.name}`,
    );
    ip(`-n ${namespace.name} address add ${network}.2/24 dev ${name}h`);
    ip(`-n ${gateway.namespace.name} address add ${network}.1/24 dev ${name}g`);
    ip(`-n ${namespace.name} link set ${name}h up`);
    ip(`-n ${gateway.namespace.name} link set ${name}g up`);
    ip(`-n ${namespace.name} route add default via ${network}.1`);
    gateway.namespace.run(() => writeFileSync("/proc/sys/net/ipv4/ip_forward", "1"));
    return { namespace, address: `${network}.2` };
  });
  return {
    hosts: hosts as unknown as [Host, Host],
    close: () => {
      for (const space of spaces) space.close();
    },
  };
}

interface Row {
  readonly queuedBytes: number;
  readonly rttMs: number;
  readonly receiveMbps: number;
  readonly congestionAcks: number;
}

/** A box on a gateway, and what it has said of itself. */
class BoxProcess {
  readonly rows: Row[] = [];
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(link: EmulatedLink, end: "client" | "server", what: "send" | "receive", more: string) {
    const [own, peer] = end === "client" ? [1, 2] : [2, 1];
    const file = join(folder, `${end}.yaml`);
    writeFileSync(
      file,
      `device: ${link[end].device}\nlocal: 10.${own}.0.0/16\nremote: 10.${peer}.0.0/16\npeer: ${link[end === "client" ? "server" : "client"].address}\n${more}`,
    );
    this.#child = link[end].namespace.run(() =>
      spawn("node", [...CLI, "bundle", what, "--policy", file, "--json", "--every", "0.1"], {
        stdio: ["ignore", "pipe", "inherit"],
      }),
    );
    let text = "";
    this.#child.stdout!.on("data", (chunk: Buffer) => {
      const lines = (text + chunk).split("\n");
      text = lines.pop()!;
      for (const line of lines) this.rows.push(JSON.parse(line));
    });
    this.ended = new Promise((resolve) => this.#child.once("exit", resolve));
  }

  async started(): Promise<void> {
    while (this.rows.length === 0) await sleep(50);
  }

  stop(): void {
    this.#child.kill("SIGTERM");
  }
}

const RATE = 24;
const ONE_WAY_MS = 20;

/** Means over the later part of some seconds of four Linux flows of Cubic, in ms of the link's rate. */
async function whereItQueues(policy: string | undefined): Promise<{
  readonly linkMs: number;
  readonly boxMs: number;
  readonly mbps: number;
  readonly heldUpShare: number;
  readonly boxes: readonly BoxProcess[];
}> {
  const link = await openLink(linkOf(RATE, ONE_WAY_MS, { packets: 160 }), 1, {});
  const sites = await makeSites(link);
  const boxes =
    policy === undefined
      ? []
      : [new BoxProcess(link, "server", "receive", policy), new BoxProcess(link, "client", "send", policy)];
  const hosts = new Hosts(await loadLibc(), sites.hosts[0], sites.hosts[1], 4);
  try {
    await Promise.all([hosts.ready, ...boxes.map((box) => box.started())]);
    for (let i = 0; i < 4; i++) hosts.start(hosts.connect("cubic", Number.POSITIVE_INFINITY));
    // the flows begin unchecked: nothing is known of the path
    await sleep(8000);
    const { forward } = link.truth;
    const [fromNs, fromBytes] = [link.nowNs, forward.servedBytes(link.nowNs)];
    const before = boxes[1]?.rows.length ?? 0;
    const queued: number[] = [];
    const holdUps = new HoldUps();
    for (let i = 0; i < 50; i++) {
      await holdUps.sleep(100);
      queued.push(forward.queuedBytes);
    }
    const heldUpShare = holdUps.share;
    const msOf = (all: readonly number[]): number =>
      all.length === 0 ? 0 : (1000 * all.reduce((a, b) => a + b, 0)) / all.length / fromMbps(RATE);
    return {
      linkMs: msOf(queued),
      boxMs: msOf(boxes[1]?.rows.slice(before).map((row) => row.queuedBytes) ?? []),
      mbps: ((forward.servedBytes(link.nowNs) - fromBytes) * 8000) / (link.nowNs - fromNs),
      heldUpShare,
      boxes,
    };
  } finally {
    for (const box of boxes) box.stop();
    await Promise.all(boxes.map((box) => box.ended));
    await hosts.close();
    sites.close();
    await link.close();
  }
}

describeWithLinks("ccpark bundle", () => {
  it("moves the queue of Linux flows from the bottleneck to the sendbox, the link as full (thesis, Fig. 4.14)", async () => {
    const quo = await whereItQueues(undefined);
    const bundle = await whereItQueues("algorithm: copa:delta=0.1\nqueue: { discipline: sfq }\n");
    const rows = bundle.boxes[1]!.rows;
    const rttMs = median(rows.filter((row) => row.rttMs > 0).map((row) => row.rttMs));
    console.log(
      `without: ${quo.linkMs.toFixed(1)} ms in the bottleneck, ${quo.mbps.toFixed(1)} Mbit/s; with: ${bundle.linkMs.toFixed(1)} ms there, ${bundle.boxMs.toFixed(1)} ms in the sendbox, ${bundle.mbps.toFixed(1)} Mbit/s; held up ${bundle.heldUpShare.toFixed(3)}; ${rows.at(-1)!.congestionAcks} congestion ACKs, median RTT ${rttMs.toFixed(1)} ms`,
    );
    expect(quo.linkMs).toBeGreaterThan(25);
    expect(bundle.linkMs).toBeLessThan(quo.linkMs / 2);
    expect(bundle.boxMs).toBeGreaterThan(2 * bundle.linkMs);
    // on a busy machine boxes are late by milliseconds, which the control takes for a queue
    const isBusy = Math.max(quo.heldUpShare, bundle.heldUpShare) > MOST_HELD_UP;
    expect(bundle.mbps).toBeGreaterThan((isBusy ? 0.6 : 0.85) * quo.mbps);
    expect(rows.at(-1)!.congestionAcks).toBeGreaterThan(50);
    expect(rttMs).toBeGreaterThan(2 * ONE_WAY_MS);
  });

  it("refuses in one sentence a device that is not there, and an algorithm that is none", () => {
    const file = join(folder, "no-device.yaml");
    writeFileSync(file, POLICY.replace("eth1", "nosuch0"));
    const box = (what: string) =>
      spawnSync("node", [...CLI, "bundle", what, "--policy", file], { encoding: "utf8" });
    for (const what of ["send", "receive"]) {
      const { status, stderr } = box(what);
      expect([status, stderr]).toEqual([
        2,
        `error: [bundle] ${file}: device: got "nosuch0", expected a network device of this machine's\n`,
      ]);
    }
    writeFileSync(file, POLICY.replace("copa", "coppa"));
    expect(box("send").stderr).toMatch(
      new RegExp(`^error: \\[bundle\\] ${file}: algorithm: .*\`coppa\`.*\\n$`),
    );
  });
});
