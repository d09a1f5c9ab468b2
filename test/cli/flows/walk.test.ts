/** "On a server" of docs/flows.md as it stands there: its client, and each of its commands beside it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { outcomeOf, runCli, startCli } from "../run-cli.ts";

const SECTION: string = /## On a server\n([\s\S]*?)\n## /.exec(readFileSync("docs/flows.md", "utf8"))![1]!;
const blockOf = (language: string): string =>
  new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(SECTION)![1]!;

/** Its arguments as the shell gives them on, without comment; undefined: no call of `ccpark flows` alone. */
function argumentsOf(line: string, handle: string): string[] | undefined {
  const [, call] = /^npx ccpark (flows .*?)(?:\s+#.*)?$/.exec(line) ?? [];
  return call?.split(/\s+/).map((word) => word.replace(/^'(.*)'$/, "$1").replace("$HANDLE", handle));
}

it("the client steps, and each command does what stands beside it", { timeout: 180_000 }, async () => {
  const server = startCli(["serve", "--port", "0", "--json", "--workers", "0"]);
  const [ready] = (await once(createInterface({ input: server.stdout! }), "line")) as [string];
  const { port } = JSON.parse(ready) as { readonly port: number };
  const program = blockOf("js").replace("ccpark/grpc", "./envs/grpc/client.ts").replace("50551", `${port}`);
  const client = spawn(process.execPath, [...["--import", "tsx", "--input-type=module", "--eval"], program]);
  const said = outcomeOf(client);
  try {
    const list = async (): Promise<readonly string[]> => {
      const { stdout } = await runCli(["flows", "list", "--port", `${port}`]);
      return stdout.trim().split("\n").slice(1);
    };
    await expect.poll(list, { timeout: 30_000, interval: 500 }).toHaveLength(4);
    const before = await list();
    const handle = before[0]!.split(" ")[0]!;
    const outputs = new Map<string, string>();
    for (const line of blockOf("sh").trim().split("\n")) {
      const args = argumentsOf(line, handle);
      if (args === undefined) {
        expect(line).toBe("HANDLE=$(npx ccpark flows list '*/0/*' | awk 'NR == 2 { print $1 }')");
        continue;
      }
      const { code, stdout, stderr } = await runCli([...args, "--port", `${port}`]);
      expect([line, code, stderr]).toEqual([line, 0, ""]);
      outputs.set(
        args
          .slice(1)
          .filter((word) => word !== handle)
          .join(" "),
        stdout,
      );
    }
    expect(outputs.size).toBe(6);
    const lines = (args: string): string[] => outputs.get(args)!.trim().split("\n");
    expect(lines("list --scope bottleneck --of")).toHaveLength(2);
    const srttsUs = lines("watch --band measurement --reports 20").map((line) =>
      Number(/srttUs (\d+)/.exec(line)![1]),
    );
    expect(srttsUs.at(-1)).toBeGreaterThan(130_000);
    expect(lines("kill */3/*")).toEqual([`killed ${before[3]!.split(" ")[0]}  ${before[3]!.split(/ +/)[1]}`]);
    await expect.poll(list, { timeout: 30_000, interval: 500 }).toHaveLength(4);
    expect((await list())[3]!.split(" ")[0]).not.toBe(before[3]!.split(" ")[0]);
  } finally {
    client.kill("SIGTERM");
    server.kill("SIGTERM");
    await once(server, "exit");
  }
  expect((await said).stdout).toBe("environment 3: its episode has ended\n");
});
