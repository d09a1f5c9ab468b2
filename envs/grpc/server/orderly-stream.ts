/** A stream of requests and answers, as far as its end goes: what was asked is answered first, whoever ends it. */
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { type RpcError, toServiceError } from "../status-codes.ts";
import type { OpenStream, ServerContext } from "./server-context.ts";

export abstract class OrderlyStream<Request, Response> implements OpenStream {
  protected readonly call: ServerDuplexStream<Request, Response>;
  protected readonly context: ServerContext;
  /** something may still be read and written */
  protected isOpen = true;
  /** requests without an answer */
  protected unanswered = 0;
  /** ends once nothing is unanswered: without an error after a half-close */
  #ending: { readonly error: RpcError | undefined } | undefined;

  constructor(call: ServerDuplexStream<Request, Response>, context: ServerContext) {
    this.call = call;
    this.context = context;
    context.streams.add(this);
    call.on("data", (request: Request) => {
      if (this.isOpen && this.#ending === undefined) this.take(request);
    });
    // A half-close is a goodbye after the answers that are due; cancellation and a killed client say "end" too, then this.
    call.on("end", () => this.#endWith(undefined));
    call.on("cancelled", () => this.#release());
    call.on("error", () => this.#release());
  }

  protected abstract take(request: Request): void;
  /** The stream is over: nothing more is read or written. */
  protected abstract letGo(): void;

  fail(error: RpcError): void {
    if (!this.isOpen) return;
    this.#release();
    this.call.emit("error", toServiceError(error));
  }

  drain(error: RpcError): void {
    this.#endWith(error);
  }

  /** Ends it now, without an error. */
  protected finish(): void {
    this.#release();
    this.call.end();
  }

  /** A request was taken. */
  protected asked(): void {
    this.unanswered += 1;
    this.context.counts.waiting += 1;
  }

  /** Its answer is written. */
  protected answered(): void {
    if (!this.isOpen) return;
    this.unanswered -= 1;
    this.context.counts.waiting -= 1;
    if (this.#ending !== undefined) this.#endWith(undefined);
  }

  #endWith(error: RpcError | undefined): void {
    if (!this.isOpen) return;
    this.#ending ??= { error };
    if (this.unanswered > 0) return;
    if (this.#ending.error !== undefined) this.fail(this.#ending.error);
    else this.finish();
  }

  #release(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.context.counts.waiting -= this.unanswered;
    this.unanswered = 0;
    this.context.streams.delete(this);
    this.letGo();
  }
}
