/** The server processes of the benchmark: started, asked for their address, measured, ended. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface ServerProcess {
  readonly address: string;
  readonly pid: number;
  /** resident memory, MB */
  memoryMb(): number;
  /** of all its threads on the processor, microseconds; Linux only, NaN elsewhere */
  cpuUs(): number;
  stop(): void;
}

async function start(args: readonly string[]): Promise<ServerProcess> {
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout! });
  const address = await new Promise<string>((resolve, reject) => {
    lines.once("line", (line) => resolve((JSON.parse(line) as { address: string }).address));
    child.once("exit", (code) => reject(new Error(`${args[0]} ended with code ${code} and told no address`)));
  });
  child.stdout!.resume();
  const pid = child.pid!;
  return {
    address,
    pid,
    memoryMb: () =>
      Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1024,
    cpuUs() {
      if (process.platform !== "linux") return Number.NaN;
      const tasks = readdirSync(`/proc/${pid}/task`);
      const nanos = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8"));
      return nanos.reduce((sum, text) => sum + Number(text.split(" ")[0]) / 1e3, 0);
    },
    stop: () => child.kill("SIGTERM"),
  };
}

export function startEchoServer(): Promise<ServerProcess> {
  return start([fileURLToPath(new URL("./echo-server.js", import.meta.url))]);
}

/** `ccpark serve`, as built. */
export function startEnvServer(workers: number): Promise<ServerProcess> {
  return start([
    fileURLToPath(new URL("../../../cli/main.js", import.meta.url)),
    ...["serve", "--port", "0", "--json", "--quiet", "--exit-with-stdin"],
    ...["--workers", String(workers)],
  ]);
}
