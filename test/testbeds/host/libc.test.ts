import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { portOf, sockaddrIn } from "../../../testbeds/host/addresses.ts";
import {
  AF_INET,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  O_RDONLY,
  POLLIN,
  PR_SET_TIMERSLACK,
  PROT_READ,
  PROT_WRITE,
  SO_ERROR,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from "../../../testbeds/host/constants.ts";
import { loadLibc, SystemCallError } from "../../../testbeds/host/libc.ts";
import { abandonedNames, makeNamespace, removeAbandoned } from "../../../testbeds/host/namespaces.ts";
import { describeWithLinks } from "./with-links.ts";

describe.skipIf(process.platform !== "linux")("system calls", () => {
  it("says which call failed, on what, and the error's name", async () => {
    const libc = await loadLibc();
    expect(() => libc.open("/no/such/file", O_RDONLY)).toThrow("[host] open /no/such/file: ENOENT");
    expect(() => libc.close(987_654)).toThrow("[host] close: EBADF");
    try {
      libc.open("/no/such/file", O_RDONLY);
    } catch (error) {
      expect(error).toBeInstanceOf(SystemCallError);
      expect(error).toMatchObject({ kind: "not-found", call: "open", errnoName: "ENOENT", errno: 2 });
    }
  });

  it("sends a datagram between two sockets, and tells one that would block from one that failed", async () => {
    const libc = await loadLibc();
    const [near, far] = [0, 1].map(() => libc.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK));
    try {
      libc.bind(far!, sockaddrIn("127.0.0.1", 0));
      libc.connect(near!, sockaddrIn("127.0.0.1", portOf(libc.getsockname(far!))));
      const into = new Uint8Array(100);
      expect(libc.recv(far!, into)).toBe(-1);
      const polled = new Int32Array([far!, POLLIN]);
      expect(libc.ppoll(polled, 1000)).toBe(0);
      expect(libc.send(near!, Uint8Array.of(1, 2, 3))).toBe(3);
      expect(libc.ppoll(polled, 1e9)).toBe(1);
      expect(polled[1]! >> 16).toBe(POLLIN);
      expect(libc.recv(far!, into)).toBe(3);
      expect([...into.subarray(0, 3)]).toEqual([1, 2, 3]);
      expect(libc.getsockoptNumber(near!, SOL_SOCKET, SO_ERROR)).toBe(0);
    } finally {
      libc.close(near!);
      libc.close(far!);
    }
  });

  it("maps memory that two views share, and gives it back", async () => {
    const libc = await loadLibc();
    const { address, bytes } = libc.mmap(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const words = new Int32Array(bytes);
    expect(Atomics.compareExchange(words, 0, 0, 7)).toBe(0);
    expect(new Int32Array(libc.view(address, 4096))[0]).toBe(7);
    libc.munmap(address, 4096);
    expect(() => libc.mmap(4096, PROT_READ, MAP_PRIVATE, 987_654, 0)).toThrow("mmap 4096 bytes: EBADF");
  });

  it("makes any call by its number, and waits as exactly as the system can", async () => {
    const libc = await loadLibc();
    // getpid(2)
    expect(libc.syscall("getpid", process.arch === "arm64" ? 172 : 39)).toBe(process.pid);
    libc.prctl(PR_SET_TIMERSLACK, 1);
    const beforeNs = process.hrtime.bigint();
    libc.ppoll(new Int32Array(0), 200_000);
    expect(Number(process.hrtime.bigint() - beforeNs)).toBeGreaterThanOrEqual(200_000);
  });
});

describeWithLinks("namespaces", () => {
  it("are entered and left, have a name while they are there, and nothing of them stays", async () => {
    const libc = await loadLibc();
    const space = makeNamespace(libc, "test");
    try {
      expect(space.name).toBe(`ccpark-${process.pid}-test`);
      const listed = space.run(() => spawnSync("cat", ["/proc/net/dev"], { encoding: "utf8" }).stdout);
      expect(listed.match(/^\s*\w+:/gm)).toHaveLength(1);
      expect(existsSync(space.path)).toBe(true);
      expect(abandonedNames()).not.toContain(space.name);
    } finally {
      space.close();
    }
    space.close();
    expect(existsSync(space.path)).toBe(false);
  });

  it("that a killed process left are found and removed", async () => {
    const libc = await loadLibc();
    const code = `
      const { loadLibc } = await import("./testbeds/host/libc.ts");
      const { makeNamespace } = await import("./testbeds/host/namespaces.ts");
      makeNamespace(await loadLibc(), "left");
      process.kill(process.pid, "SIGKILL");`;
    const { pid, signal } = spawnSync("node", ["--import", "tsx", "--input-type=module", "-e", code]);
    expect(signal).toBe("SIGKILL");
    const name = `ccpark-${pid}-left`;
    expect(abandonedNames()).toContain(name);
    expect(removeAbandoned(libc)).toContain(name);
    expect(existsSync(`/run/netns/${name}`)).toBe(false);
  });
});
