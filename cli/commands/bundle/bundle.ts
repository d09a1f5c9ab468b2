/** `ccpark bundle`: all that goes from one site to another under one congestion control, between two gateways (Linux). */
import { type Command, Option } from "commander";
import { MICROS_PER_MILLI, toMbps } from "../../../core/units.ts";
import type { SendboxFacts } from "../../../testbeds/sites/shared.ts";
import { printErr, printOut, stopOnInterrupt } from "../../console.ts";
import { EXIT } from "../../exit/exit-codes.ts";
import { parsePositive } from "../../options.ts";

interface BoxOptions {
  readonly policy: string;
  readonly duration?: number;
  readonly every: number;
  readonly json?: true;
  readonly quiet?: true;
}

/** A box and what it says of itself. */
interface Box {
  /** as of now, for `--json` */
  row(): Readonly<Record<string, unknown>>;
  line(): string;
  readonly failed?: Promise<never>;
  close(): unknown;
}

const MS_PER_SEC = 1000;

/** Until its time is over or a signal comes; tells of it meanwhile. */
async function attend(box: Box, { duration, every, json, quiet }: BoxOptions): Promise<void> {
  const startMs = performance.now();
  const tell = (): void => {
    const atSec = (performance.now() - startMs) / MS_PER_SEC;
    if (json === true) printOut(`${JSON.stringify({ atSec, ...box.row() })}\n`);
    else if (quiet !== true) printOut(`${atSec.toFixed(1).padStart(7)} s  ${box.line()}\n`);
  };
  const timer = setInterval(tell, every * MS_PER_SEC);
  let over: NodeJS.Timeout | undefined;
  try {
    const ended = new Promise<void>((resolve) => {
      if (duration !== undefined) over = setTimeout(resolve, duration * MS_PER_SEC);
      stopOnInterrupt(() => {
        process.exitCode = EXIT.interrupted;
        resolve();
      });
      process.once("SIGTERM", () => resolve());
    });
    await (box.failed === undefined ? ended : Promise.race([ended, box.failed]));
  } finally {
    clearInterval(timer);
    clearTimeout(over);
    await box.close();
  }
  tell();
}

function mbps(bytesPerSec: number): number | null {
  return Number.isFinite(bytesPerSec) ? toMbps(bytesPerSec) : null;
}

function sendboxRow(facts: SendboxFacts): Readonly<Record<string, unknown>> {
  const { rateBytesPerSec, rttUs, minRttUs, sendRateBytesPerSec, receiveRateBytesPerSec, ...counts } = facts;
  return {
    ...counts,
    rateMbps: mbps(rateBytesPerSec),
    rttMs: rttUs / MICROS_PER_MILLI,
    minRttMs: minRttUs / MICROS_PER_MILLI,
    sendMbps: mbps(sendRateBytesPerSec),
    receiveMbps: mbps(receiveRateBytesPerSec),
  };
}

function sendboxLine(facts: SendboxFacts): string {
  const rate = mbps(facts.rateBytesPerSec);
  const path =
    facts.rttUs === 0
      ? "no word of the other site yet"
      : `rtt ${(facts.rttUs / MICROS_PER_MILLI).toFixed(1)} ms, ${toMbps(facts.receiveRateBytesPerSec).toFixed(2)} Mbit/s arrive`;
  return `${rate === null ? "unlimited" : `${rate.toFixed(2)} Mbit/s`}, ${facts.queuedPackets} packets wait; ${path}; ${facts.sentPackets} sent, ${facts.droppedPackets} dropped`;
}

async function send(options: BoxOptions): Promise<void> {
  const { inFile, loadPolicy } = await import("../../../testbeds/sites/policy.ts");
  const { openSendbox } = await import("../../../testbeds/sites/boxes.ts");
  const { whyNoForwarding } = await import("../../../testbeds/sites/site-sockets.ts");
  const policy = loadPolicy(options.policy);
  const box = await openSendbox(policy).catch((error: unknown) => {
    throw inFile(error, options.policy);
  });
  const { remote } = policy;
  const note = whyNoForwarding();
  if (options.quiet !== true) {
    printErr(
      `${policy.algorithm} over ${policy.device}, ${policy.queue.discipline.kind}: what goes to ${remote.address}/${remote.bits} waits here\n`,
    );
    if (note !== undefined) printErr(`note: ${note}\n`);
  }
  await attend(
    {
      row: () => sendboxRow(box.facts),
      line: () => sendboxLine(box.facts),
      failed: box.failed,
      close: () => box.close(),
    },
    options,
  );
}

async function receive(options: BoxOptions): Promise<void> {
  const { inFile, loadPolicy } = await import("../../../testbeds/sites/policy.ts");
  const { openReceivebox } = await import("../../../testbeds/sites/boxes.ts");
  const policy = loadPolicy(options.policy);
  const box = await openReceivebox(policy).catch((error: unknown) => {
    throw inFile(error, options.policy);
  });
  const { remote } = policy;
  if (options.quiet !== true) {
    printErr(`what comes from ${remote.address}/${remote.bits} over ${policy.device} is counted here\n`);
  }
  await attend(
    {
      row: () => box.facts,
      line: () => {
        const { receivedPackets, receivedBytes, congestionAcks, epochPackets } = box.facts;
        const epoch =
          epochPackets === 0 ? "no word of the other site yet" : `epochs of ${epochPackets} packets`;
        return `${receivedPackets} packets, ${receivedBytes} bytes; ${epoch}, ${congestionAcks} congestion ACKs`;
      },
      close: () => box.close(),
    },
    options,
  );
}

const EXAMPLE = `
On the gateway of each site, as root; the same file serves both boxes of a site:

  # site-a.yaml                          # site-b.yaml
  device: eth1                           device: eth1
  local: 10.1.0.0/16                     local: 10.2.0.0/16
  remote: 10.2.0.0/16                    remote: 10.1.0.0/16
  peer: 192.0.2.2                        peer: 192.0.2.1
  algorithm: nimbus:passes=1,holdSec=10  algorithm: nimbus:passes=1,holdSec=10
  queue: { discipline: fq-codel }        queue: { discipline: fq-codel }

  site B:  ccpark bundle receive --policy site-b.yaml
  site A:  ccpark bundle send --policy site-a.yaml

docs/bundles.md has all fields of a policy.`;

function withBoxOptions(command: Command): Command {
  return command
    .requiredOption("--policy <file>", "YAML or JSON: the sites, their addresses, algorithm and queue")
    .option("--duration <sec>", "end after so many seconds (default: with Ctrl-C)", parsePositive)
    .addOption(new Option("--every <sec>", "between two lines about it").argParser(parsePositive).default(1))
    .option("--json", "the lines as JSON")
    .option("--quiet", "no lines");
}

export function addBundle(program: Command): void {
  const bundle = program
    .command("bundle")
    .description(
      "all traffic from one site to another under one congestion control, on their gateways (Linux, root)",
    )
    .addHelpText("after", EXAMPLE);
  withBoxOptions(
    bundle
      .command("send")
      .description("the sendbox: holds back what goes to the other site, so that the queue stands here"),
  ).action(send);
  withBoxOptions(
    bundle
      .command("receive")
      .description("the receivebox: counts what comes from the other site, and tells its sendbox"),
  ).action(receive);
}
