/**
 * Who observes flows of an agent: processes with a datagram socket of their own, which get reports as JSON, `{ "report": ... }`,
 * `{ "overflow": ... }` and at last `{ "ended": HANDLE }`. One whose socket is full gets the newest later; one that is gone is forgotten.
 */
import type { UnixDatagramSocket } from "../../ccp-bridge/ipc/unix-datagram.ts";
import { CcparkError } from "../../core/errors.ts";
import { ALL_BANDS, BANDS, maskOf } from "../../flows/bands.ts";
import type { FlowObserver } from "../../flows/named-flow.ts";
import type { AgentBodies, AgentFlow } from "./agent-flows.ts";

/** As many as monitors there may be, with room to spare. */
const MAX_WATCHERS = 64;
/** A reader that keeps up empties its socket within some of them. */
const RETRY_MS = 5;

class Watcher {
  readonly #socket: UnixDatagramSocket;
  readonly #to: string;
  readonly #observer: FlowObserver<AgentBodies>;
  readonly #onEnd: () => void;
  readonly #handle: string;
  /** what its socket had no room for */
  #unsent: object[] = [];
  #retry: NodeJS.Timeout | undefined;
  #isOver = false;
  #isEndTold = false;

  constructor(
    flow: AgentFlow,
    to: string,
    from: {
      readonly socket: UnixDatagramSocket;
      readonly mask: number;
      readonly queue: number | undefined;
      readonly onEnd: () => void;
    },
  ) {
    this.#socket = from.socket;
    this.#to = to;
    this.#onEnd = from.onEnd;
    this.#handle = `${flow.handle}`;
    this.#observer = flow.observe({
      mask: from.mask,
      ...(from.queue !== undefined && { capacity: from.queue }),
      onReadable: () => this.#write(),
      onEnd: () => {
        this.#isOver = true;
        this.#write();
      },
    });
  }

  #write(): void {
    if (this.#retry !== undefined) return;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const outcome = this.#socket.send(new TextEncoder().encode(JSON.stringify(next)), this.#to);
      if (outcome === "gone") {
        this.close();
        return;
      }
      if (outcome === "full") {
        this.#unsent.unshift(next);
        this.#retry = setTimeout(() => {
          this.#retry = undefined;
          this.#write();
        }, RETRY_MS);
        return;
      }
    }
    if (this.#isOver) this.close();
  }

  #next(): object | undefined {
    const waiting = this.#unsent.shift();
    if (waiting !== undefined) return waiting;
    const report = this.#observer.read();
    this.#unsent = this.#observer.takeNotices().map((overflow) => ({ overflow }));
    if (report !== undefined) this.#unsent.push({ report: { ...report, flow: this.#handle } });
    else if (this.#isOver && !this.#isEndTold) {
      this.#isEndTold = true;
      this.#unsent.push({ ended: this.#handle });
    }
    return this.#unsent.shift();
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#observer.close();
    this.#onEnd();
  }
}

export class Watchers {
  readonly #socket: UnixDatagramSocket;
  /** by who watches and what */
  readonly #watchers = new Map<string, Watcher>();

  constructor(socket: UnixDatagramSocket) {
    this.#socket = socket;
  }

  /**
   * @param bands absent: all that an agent knows of
   * @param queue reports that wait unread; absent: 64
   * @throws CcparkError: invalid-argument for bands of which the agent knows nothing, or a queue of a wrong size; not-found; resource-exhausted
   */
  watch(
    flow: AgentFlow,
    to: string,
    { bands, queue }: { readonly bands: readonly string[] | undefined; readonly queue: number | undefined },
  ): void {
    const key = `${to} ${flow.handle}`;
    const mask = (bands === undefined ? ALL_BANDS : maskOf(bands)) & ~BANDS.truth.bit;
    if (mask === 0) {
      throw new CcparkError(
        "invalid-argument",
        "[agent] bands: got truth alone, which an agent does not know",
      );
    }
    this.#watchers.get(key)?.close();
    if (this.#watchers.size >= MAX_WATCHERS) {
      throw new CcparkError("resource-exhausted", `[agent] ${MAX_WATCHERS} watch flows, no more are allowed`);
    }
    const onEnd = (): void => void this.#watchers.delete(key);
    this.#watchers.set(key, new Watcher(flow, to, { socket: this.#socket, mask, queue, onEnd }));
  }

  close(): void {
    for (const watcher of [...this.#watchers.values()]) watcher.close();
  }
}
