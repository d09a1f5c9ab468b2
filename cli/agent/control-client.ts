/** The other end of `control.ts`: asks an agent that runs for its flows, over a datagram socket of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  openUnixDatagram,
  toSocketPath,
  type UnixDatagramSocket,
} from "../../ccp-bridge/ipc/unix-datagram.ts";
import { CcparkError } from "../../core/errors.ts";
import type { OverflowNotice } from "../../flows/observation-queue.ts";
import type { AgentFlowFacts } from "./agent-flows.ts";

/** An agent answers within a turn of its event loop. */
const ANSWER_MS = 5_000;

export interface ListedFlow extends AgentFlowFacts {
  readonly observers: number;
}

/** A report as it comes: of the bands that an agent knows, with what programs in datapaths call their values. */
export interface AgentReport {
  readonly band: string;
  readonly flow: string;
  readonly number: number;
  readonly timeUs: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export type AgentItem =
  | { readonly report: AgentReport; readonly overflow?: undefined }
  | { readonly overflow: OverflowNotice; readonly report?: undefined };

interface Told {
  readonly report?: AgentReport;
  readonly overflow?: OverflowNotice;
  readonly ended?: string;
}

export class ControlClient {
  readonly #folder: string;
  readonly #socket: UnixDatagramSocket;
  readonly #agent: string;
  #onAnswer: ((answer: Readonly<Record<string, unknown>>) => void) | undefined;
  #told: Told[] = [];
  #onTold: (() => void) | undefined;

  private constructor(folder: string, socket: UnixDatagramSocket, agent: string) {
    this.#folder = folder;
    this.#socket = socket;
    this.#agent = agent;
  }

  /** @param path of `ccpark agent --control` @throws CcparkError */
  static async open(path: string): Promise<ControlClient> {
    const folder = mkdtempSync(join(tmpdir(), "ccpark-flows-"));
    let client: ControlClient | undefined;
    try {
      const socket = await openUnixDatagram({
        path: join(folder, "client"),
        onMessage: (bytes) => {
          if (client !== undefined) client.#receive(bytes);
        },
      });
      client = new ControlClient(folder, socket, toSocketPath(path));
      return client;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  #receive(bytes: Uint8Array): void {
    const message = JSON.parse(new TextDecoder().decode(bytes)) as Told & Readonly<Record<string, unknown>>;
    const { report, overflow, ended } = message;
    if (report === undefined && overflow === undefined && ended === undefined) {
      this.#onAnswer?.(message);
      return;
    }
    this.#told.push(message);
    this.#onTold?.();
  }

  async #ask(message: object): Promise<Readonly<Record<string, unknown>>> {
    const outcome = this.#socket.send(new TextEncoder().encode(JSON.stringify(message)), this.#agent);
    if (outcome !== "sent") throw nobody(this.#agent);
    const answer = await new Promise<Readonly<Record<string, unknown>> | undefined>((resolve) => {
      const timer = setTimeout(resolve, ANSWER_MS, undefined);
      this.#onAnswer = (told) => {
        clearTimeout(timer);
        resolve(told);
      };
    });
    if (answer === undefined) throw nobody(this.#agent);
    if (typeof answer["error"] === "string") throw new CcparkError("invalid-argument", answer["error"]);
    return answer;
  }

  /** Those that fit into a datagram, and how many there are. @throws CcparkError */
  async list(
    pattern = "*",
    { scope, of }: { readonly scope?: string; readonly of?: string } = {},
  ): Promise<{ readonly flows: readonly ListedFlow[]; readonly total: number }> {
    const asked = { list: pattern, ...(scope !== undefined && { scope }), ...(of !== undefined && { of }) };
    const { list, total } = await this.#ask(asked);
    return { flows: list as readonly ListedFlow[], total: total as number };
  }

  /** @throws CcparkError */
  async kill(handle: string): Promise<void> {
    await this.#ask({ kill: handle });
  }

  /** Ends with the flow, or with the signal. @throws CcparkError */
  async *watch(
    handle: string,
    options: { readonly bands?: readonly string[]; readonly queue?: number; readonly signal?: AbortSignal },
  ): AsyncGenerator<AgentItem> {
    const { bands, queue, signal } = options;
    const asked = {
      watch: handle,
      ...(bands !== undefined && { bands }),
      ...(queue !== undefined && { queue }),
    };
    await this.#ask(asked);
    let wake: (() => void) | undefined;
    this.#onTold = () => wake?.();
    const stop = (): void => wake?.();
    const isStopped = (): boolean => signal?.aborted === true;
    signal?.addEventListener("abort", stop, { once: true });
    try {
      while (!isStopped()) {
        for (const { report, overflow, ended } of this.#told.splice(0)) {
          if (ended !== undefined) return;
          if (report !== undefined) yield { report };
          else if (overflow !== undefined) yield { overflow };
        }
        if (this.#told.length > 0 || isStopped()) continue;
        // the agent may be gone without a word
        const isThere = await new Promise<boolean>((resolve) => {
          const look = setInterval(() => {
            if (!this.#socket.isThere!(this.#agent)) wakeWith(false);
          }, ANSWER_MS);
          const wakeWith = (there: boolean): void => {
            clearInterval(look);
            resolve(there);
          };
          wake = () => wakeWith(true);
        });
        if (!isThere) throw nobody(this.#agent);
      }
    } finally {
      this.#onTold = undefined;
      signal?.removeEventListener("abort", stop);
    }
  }

  close(): void {
    this.#socket.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function nobody(path: string): CcparkError {
  return new CcparkError(
    "unavailable",
    `[flows] --agent: nobody answers at ${path}, the --control of a \`ccpark agent\``,
  );
}
