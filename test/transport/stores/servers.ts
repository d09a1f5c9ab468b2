/** Redis and etcd of a test's own, on this host alone, which end with the test, and by themselves if it forgets. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type OpenedStore, openStore, type StoreKind } from "./open-store.ts";

const READY_MS = 30_000;
const LIFE_SEC = 180;
const END_MS = 5_000;

export interface RunningServer {
  readonly address: string;
  /** what is in it may be gone */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** and what it wrote is gone */
  close(): Promise<void>;
}

function isInstalled(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Why its tests are skipped; in CI they run, whatever comes of it. */
export function whyNoServer(program: string): string | undefined {
  if (process.env["CI"] === "true" || isInstalled(program)) return undefined;
  return `skipped: no ${program}; test/setup/install-stores.sh installs it`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function answers(kind: StoreKind, address: string): Promise<boolean> {
  let opened: OpenedStore | undefined;
  try {
    opened = await openStore(kind, address);
    const { store } = opened;
    const asked = new Promise<unknown>((resolve) => store.get("none", resolve));
    const answer = await Promise.race([asked, sleep(2_000, "none")]);
    return answer === undefined;
  } catch {
    return false;
  } finally {
    opened?.close();
  }
}

async function run(
  kind: StoreKind,
  folder: string,
  commandLine: () => Promise<{ readonly address: string; readonly command: readonly string[] }>,
): Promise<RunningServer> {
  const { address, command } = await commandLine();
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    let said = "";
    const args = ["--kill-after=5", String(LIFE_SEC), ...command];
    const started = spawn("timeout", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    child = started;
    for (const stream of [started.stdout, started.stderr]) {
      stream.on("data", (part) => {
        said = (said + String(part)).slice(-2_000);
      });
    }
    const endMs = performance.now() + READY_MS;
    while (!(await answers(kind, address))) {
      if (started.exitCode !== null || performance.now() > endMs) {
        throw new Error(`${command[0]} does not answer (exit code ${started.exitCode}): ${said}`);
      }
      await sleep(50);
    }
  };
  const stop = async (): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = once(running, "exit");
    running.kill("SIGTERM");
    const hasEnded = await Promise.race([ended.then(() => true), sleep(END_MS, false)]);
    if (!hasEnded) running.kill("SIGKILL");
    await ended;
  };
  const close = async (): Promise<void> => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    address,
    stop,
    close,
    restart: async () => {
      await stop();
      await start();
    },
  };
}

/** By a unix socket alone. */
export function startRedis(): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), "ccpark-redis-"));
  const address = join(folder, "redis.sock");
  const options = ["--port", "0", "--unixsocket", address, "--save", "", "--appendonly", "no"];
  const command = ["redis-server", ...options, "--maxmemory", "64mb"];
  return run("redis", folder, async () => ({ address, command }));
}

/** Its ports may be taken before it has them: then once more. */
export async function startEtcd(): Promise<RunningServer> {
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), "ccpark-etcd-"));
    try {
      return await run("etcd", folder, async () => {
        const [clients, peers] = [await freePort(), await freePort()].map(
          (port) => `http://127.0.0.1:${port}`,
        );
        const ofClients = ["--listen-client-urls", clients!, "--advertise-client-urls", clients!];
        const ofPeers = ["--listen-peer-urls", peers!, "--initial-advertise-peer-urls", peers!];
        const command = ["etcd", "--data-dir", folder, ...ofClients, ...ofPeers];
        return { address: clients!, command: [...command, "--initial-cluster", `default=${peers!}`] };
      });
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}
