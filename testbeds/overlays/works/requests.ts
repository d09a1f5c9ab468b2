/**
 * Clients ask servers that are as good as each other. Anycast as an overlay does it (Zegura et al. 2000): servers push how long
 * their answers take, clients add their own round trip, and one is drawn of those that are about as good as the best: the
 * equivalent set. The larger that is, the less clients run all to one server until the next push.
 */
import { drawExponential } from "../../../core/distributions.ts";
import { type Bytes, NANOS_PER_MILLI, NANOS_PER_SEC } from "../../../core/units.ts";
import type { OverlayWork } from "../../../scenarios/overlay/overlay.ts";
import { makeSizes } from "../../traffic/sizes.ts";
import type { Overlay } from "../overlay.ts";
import type { Work } from "./work.ts";

type Spec = Extract<OverlayWork, { kind: "requests" }>;

const WITHIN = 1.5;
const LEARN_EVERY_SEC = 0.5;
const QUESTION_BYTES = 100;
const QUESTION_TIMEOUT_SEC = 1;
/** Of what is pushed, so that one push does not move everybody. */
const EWMA = 0.2;
/** A server of which nothing was heard is believed to be better than it was, until somebody tries. */
const FORGET = 0.9;

export interface Answer {
  readonly client: string;
  readonly server: string;
  readonly bytes: Bytes;
  /** of the question */
  readonly atSec: number;
  /** from the question to the last byte of the answer */
  readonly responseMs: number;
}

interface Server {
  readonly name: string;
  /** of the answers since the last push: how much longer than the propagation they took */
  sumMs: number;
  count: number;
  /** as pushed */
  serviceMs: number;
}

export class RequestWork implements Work {
  readonly kind = "requests";
  /** in the order of their arrival */
  readonly answers: Answer[] = [];
  asked = 0;
  readonly #overlay: Overlay;
  readonly #spec: Spec;
  readonly #servers: readonly Server[];

  constructor(overlay: Overlay, spec: Spec) {
    this.#overlay = overlay;
    this.#spec = spec;
    this.#servers = spec.servers.map((name) => ({ name, sumMs: 0, count: 0, serviceMs: 0 }));
  }

  begin(): void {
    const overlay = this.#overlay;
    const { clients, perSec, choose, learnEverySec = LEARN_EVERY_SEC } = this.#spec;
    const sizes = makeSizes(this.#spec.sizes);
    for (const client of clients) {
      const rng = overlay.rng.fork(`client.${client}`);
      const draws = { gaps: rng.fork("gaps"), sizes: rng.fork("sizes"), server: rng.fork("server") };
      const next = (): void => {
        overlay.after((drawExponential(draws.gaps) * NANOS_PER_SEC) / perSec, () => {
          const server = this.#serverFor(client, draws.server.next());
          this.#request(client, server, sizes.draw(draws.sizes));
          next();
        });
      };
      next();
    }
    if (choose !== "anycast") return;
    const learn = (): void => {
      for (const server of this.#servers) {
        const { sumMs, count, serviceMs } = server;
        server.serviceMs = count > 0 ? serviceMs + EWMA * (sumMs / count - serviceMs) : serviceMs * FORGET;
        server.sumMs = server.count = 0;
      }
      overlay.after(learnEverySec * NANOS_PER_SEC, learn);
    };
    overlay.after(learnEverySec * NANOS_PER_SEC, learn);
  }

  #rttMs(client: string, server: string): number {
    const { graph } = this.#overlay;
    return graph.delayMs(client, server) + graph.delayMs(server, client);
  }

  /** @param draw in [0, 1) */
  #serverFor(client: string, draw: number): Server {
    const { choose, within = WITHIN } = this.#spec;
    const at = (list: readonly Server[]): Server => list[Math.floor(draw * list.length)]!;
    if (choose === "random") return at(this.#servers);
    const expected = this.#servers.map((server) => ({
      server,
      ms: this.#rttMs(client, server.name) + (choose === "anycast" ? server.serviceMs : 0),
    }));
    const best = Math.min(...expected.map(({ ms }) => ms));
    if (choose === "nearest") return expected.find(({ ms }) => ms === best)!.server;
    return at(expected.filter(({ ms }) => ms <= within * best).map(({ server }) => server));
  }

  #request(client: string, server: Server, bytes: Bytes): void {
    const overlay = this.#overlay;
    const { graph, messages } = overlay;
    const askedNs = overlay.nowNs;
    const atSec = overlay.nowSec;
    let isHeard = false;
    this.asked++;
    const ask = (): void => {
      if (isHeard) return;
      messages.send(graph.way(client, server.name), QUESTION_BYTES, overlay.numberOf(client), answer);
      overlay.after(QUESTION_TIMEOUT_SEC * NANOS_PER_SEC, ask);
    };
    const answer = (): void => {
      if (isHeard) return;
      isHeard = true;
      overlay.transfer(server.name, client, bytes, (arrivedNs) => {
        const responseMs = (arrivedNs - askedNs) / NANOS_PER_MILLI;
        this.answers.push({ client, server: server.name, bytes, atSec, responseMs });
        server.sumMs += responseMs - this.#rttMs(client, server.name);
        server.count++;
      });
    };
    ask();
  }
}
