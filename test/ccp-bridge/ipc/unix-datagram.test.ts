import { execFile } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openUdp } from "../../../ccp-bridge/ipc/udp.ts";
import { AF_UNIX, loadUnixCalls, SOCK_DGRAM, toSockaddr } from "../../../ccp-bridge/ipc/unix-calls.ts";
import {
  openUnixDatagram,
  toSocketPath,
  type UnixDatagramSocket,
} from "../../../ccp-bridge/ipc/unix-datagram.ts";
import { CcparkError } from "../../../core/errors.ts";

let folder: string;
let open: UnixDatagramSocket[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ccpark-ipc-"));
  open = [];
});
afterEach(() => {
  for (const socket of open) socket.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A socket that keeps what it gets. */
async function makeEnd(name: string, onMessage?: (bytes: Uint8Array, from: string | undefined) => void) {
  const got: { bytes: Uint8Array; from: string | undefined }[] = [];
  const socket = await openUnixDatagram({
    path: join(folder, name),
    onMessage: onMessage ?? ((bytes, from) => got.push({ bytes: bytes.slice(), from })),
  });
  open.push(socket);
  return { socket, got, path: join(folder, name) };
}

const settled = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 200 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe("a unix datagram socket", () => {
  it("tells the receiver the path to answer to", async () => {
    const agent = await makeEnd("agent", (bytes, from) => agent.socket.send(bytes, from!));
    const datapath = await makeEnd("datapath");
    expect(datapath.socket.send(Uint8Array.of(1, 2, 3), agent.path)).toBe("sent");
    await settled(() => datapath.got.length > 0);
    expect(datapath.got).toEqual([{ bytes: Uint8Array.of(1, 2, 3), from: agent.path }]);
  });

  it("carries libccp's largest message whole, and drops and counts a longer one", async () => {
    const one = await makeEnd("one");
    const two = await makeEnd("two");
    const largest = new Uint8Array(32_678).fill(7);
    two.socket.send(largest, one.path);
    two.socket.send(new Uint8Array(32_679), one.path);
    two.socket.send(Uint8Array.of(9), one.path);
    await settled(() => one.socket.counters.received === 3);
    expect(one.got.map((each) => each.bytes.length)).toEqual([32_678, 1]);
    expect(one.got[0]!.bytes).toEqual(largest);
    expect(one.socket.counters.oversize).toBe(1);
  });

  it("says full when the receiver's queue has no room, and sends again once it has", async () => {
    const one = await makeEnd("one");
    const two = await makeEnd("two");
    const outcomes: string[] = [];
    for (let i = 0; i < 2000 && outcomes.at(-1) !== "full"; i++) {
      outcomes.push(two.socket.send(Uint8Array.of(i), one.path));
    }
    expect(outcomes.at(-1)).toBe("full");
    await settled(() => one.got.length === outcomes.length - 1);
    expect(one.got).toHaveLength(outcomes.length - 1);
    expect(two.socket.send(Uint8Array.of(0), one.path)).toBe("sent");
  });

  it("says gone for a path that is not there and for one that nobody listens on", async () => {
    const one = await makeEnd("one");
    expect(one.socket.send(Uint8Array.of(1), join(folder, "nobody"))).toBe("gone");
    await leaveStaleFile(join(folder, "stale"));
    expect(one.socket.send(Uint8Array.of(1), join(folder, "stale"))).toBe("gone");
    expect(one.socket.counters.gone).toBe(2);
  });

  it("replaces a file that nobody listens on", async () => {
    await leaveStaleFile(join(folder, "agent"));
    const agent = await makeEnd("agent");
    const datapath = await makeEnd("datapath");
    expect(datapath.socket.send(Uint8Array.of(1), agent.path)).toBe("sent");
  });

  it("refuses a path where somebody listens, and leaves that one working", async () => {
    const first = await makeEnd("agent");
    const second = makeEnd("agent");
    await expect(second).rejects.toThrow(
      `[ccp-ipc] somebody already listens on ${first.path}; stop that agent or choose another socket`,
    );
    const datapath = await makeEnd("datapath");
    expect(datapath.socket.send(Uint8Array.of(1), first.path)).toBe("sent");
  });

  it("leaves a file alone that is no socket", async () => {
    writeFileSync(join(folder, "notes"), "mine");
    await expect(makeEnd("notes")).rejects.toThrow("is no socket");
    expect(existsSync(join(folder, "notes"))).toBe(true);
  });

  it("can be written to by its owner only, in a folder that it makes", async () => {
    const end = await makeEnd("new/folder/agent");
    expect(statSync(end.path).mode & 0o777).toBe(0o600);
  });

  it("refuses a folder that everybody may write to, and one of somebody else", async () => {
    chmodSync(folder, 0o777);
    await expect(makeEnd("agent")).rejects.toMatchObject({
      kind: "permission-denied",
      message: expect.stringMatching(/got one that everybody may write to, expected one of your own/),
    });
    chmodSync(folder, 0o1777); // as /tmp is: nobody can replace the files of others
    (await makeEnd("agent")).socket.close();
    chmodSync(folder, 0o700);
    if (process.getuid?.() !== 0) return; // nobody else can give a folder away
    chownSync(folder, 12_345, 12_345);
    await expect(makeEnd("agent")).rejects.toThrow(/got one of the user with the number 12345/);
    chownSync(folder, 0, 0);
  });

  it.skipIf(process.getuid?.() === 0)("says that the folder cannot be written to", async () => {
    chmodSync(folder, 0o500);
    const refused = makeEnd("agent");
    await expect(refused).rejects.toMatchObject({ kind: "permission-denied" });
    chmodSync(folder, 0o700);
  });

  it("removes its file when it closes, and not that of a successor", async () => {
    const first = await makeEnd("agent");
    first.socket.close();
    expect(existsSync(first.path)).toBe(false);
    const second = await makeEnd("agent");
    rmSync(second.path);
    const third = await makeEnd("agent");
    second.socket.close();
    expect(existsSync(third.path)).toBe(true);
  });

  it("knows neither unnamed senders nor those of the abstract namespace", async () => {
    const agent = await makeEnd("agent");
    const calls = await loadUnixCalls();
    const to = toSockaddr(Buffer.from(agent.path));
    const unnamed = calls.socket(AF_UNIX, SOCK_DGRAM, 0);
    calls.sendto(unnamed, Uint8Array.of(1), 1, 0, to, to.length);
    const abstract = calls.socket(AF_UNIX, SOCK_DGRAM, 0);
    const name = toSockaddr(Buffer.from(`\0ccpark-test-${process.pid}`));
    calls.bind(abstract, name, name.length - 1);
    calls.sendto(abstract, Uint8Array.of(2), 1, 0, to, to.length);
    await settled(() => agent.got.length === 2);
    calls.close(unnamed);
    calls.close(abstract);
    expect(agent.got.map((each) => each.from)).toEqual([undefined, undefined]);
    expect(agent.socket.counters.unnamed).toBe(2);
  });

  it("refuses a path that does not fit a socket address", async () => {
    await expect(makeEnd("x".repeat(120))).rejects.toThrow("expected at most");
  });

  it("hands over waiting messages without the event loop", async () => {
    const one = await makeEnd("one");
    const two = await makeEnd("two");
    expect(one.socket.receiveNow(0)).toBe(0);
    two.socket.send(Uint8Array.of(5), one.path);
    expect(one.socket.receiveNow(100)).toBe(1);
    expect(one.got[0]!.from).toBe(two.path);
  });

  it("speaks with another process", async () => {
    const script = `
      import { openUnixDatagram } from "./ccp-bridge/ipc/unix-datagram.ts";
      const [path, to] = process.argv.slice(-2);
      const socket = await openUnixDatagram({ path, onMessage: () => socket.close() });
      socket.send(Uint8Array.of(1), to);`;
    const agent = await makeEnd("agent", (bytes, from) => agent.socket.send(bytes, from!));
    const args = ["--import", "tsx", "--input-type=module", "-e", script, join(folder, "child"), agent.path];
    await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    expect(agent.socket.counters.sent).toBe(1);
    expect(existsSync(join(folder, "child"))).toBe(false);
  });
});

describe("socket names", () => {
  it("are files of /tmp/ccp unless they are paths", () => {
    expect(toSocketPath("portus")).toBe("/tmp/ccp/portus");
    expect(toSocketPath("/run/agent")).toBe("/run/agent");
  });
});

describe("UDP on loopback", () => {
  it("answers to the port a message came from", async () => {
    const got: [Uint8Array, string | undefined][] = [];
    const agent = await openUdp({ port: 0, onMessage: (bytes, from) => agent.send(bytes, from!) });
    const datapath = await openUdp({ port: 0, onMessage: (bytes, from) => got.push([bytes.slice(), from]) });
    expect(datapath.send(Uint8Array.of(4), agent.address)).toBe("sent");
    await settled(() => got.length > 0);
    expect(got.map(([bytes, from]) => [[...bytes], from])).toEqual([[[4], agent.address]]);
    await expect(openUdp({ port: Number(agent.address.split(":")[1]), onMessage: () => {} })).rejects.toThrow(
      CcparkError,
    );
    agent.close();
    datapath.close();
  });

  it("knows no other addresses", async () => {
    const end = await openUdp({ port: 0, onMessage: () => {} });
    expect(end.send(Uint8Array.of(1), "/tmp/ccp/portus")).toBe("gone");
    expect(end.send(Uint8Array.of(1), "192.0.2.1:53")).toBe("gone");
    end.close();
  });
});

/** What an agent that was killed leaves behind. */
async function leaveStaleFile(path: string): Promise<void> {
  const calls = await loadUnixCalls();
  const fd = calls.socket(AF_UNIX, SOCK_DGRAM, 0);
  const address = toSockaddr(Buffer.from(path));
  calls.bind(fd, address, address.length);
  calls.close(fd);
}
