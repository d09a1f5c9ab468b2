/**
 * How two ends agree on their next stack by messages of the present one: one proposes, the other prepares it and consents, or says
 * why not. Where both propose at once the client's goes first.
 */
import { CcparkError } from "../../core/errors.ts";
import { agree, type Choice, chosenStack, offerOf, type Slot } from "../negotiate/choose.ts";
import { decodeOffer, encodeOffer, transcriptOf } from "../negotiate/offer-wire.ts";
import { WireFault, type WireReader } from "../wire.ts";
import { baseOf, checkExchangeable, checkProposable, refusal, withBase } from "./fit.ts";
import {
  CONSENT,
  encodeConsent,
  encodeProposal,
  encodeRefusal,
  PROPOSAL,
  REFUSAL,
  readConsent,
  readProposal,
  readRefusal,
} from "./messages.ts";
import { epochSession, type Succession } from "./succession.ts";
import type { Way } from "./way.ts";

const MAX_EPOCHS = 65_535;
const UNDER_WAY = "another one is under way";

export interface ExchangeOptions {
  readonly side: "client" | "server";
  /** what this end consents to when its peer proposes another stack */
  readonly slots: readonly Slot[];
  readonly succession: Succession;
  /** of the connection's first stack */
  session(): Uint8Array;
  openWay(base: string, done: (way: Way | CcparkError) => void): void;
  fail(error: CcparkError): void;
}

interface Proposal {
  readonly epoch: number;
  readonly slots: readonly Slot[];
  readonly offer: Uint8Array;
  way: Way | undefined;
  readonly done: (error?: CcparkError) => void;
}

export class Exchange {
  readonly #options: ExchangeOptions;
  readonly #succession: Succession;
  #slots: readonly Slot[];
  #proposal: Proposal | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#succession = options.succession;
    this.#slots = options.slots;
  }

  /** @param done called when messages go by the new stack in both directions, or with why they do not: then the old one goes on */
  propose(slots: readonly Slot[], done: (error?: CcparkError) => void): void {
    const { present, sending } = this.#succession;
    try {
      this.#check();
      checkProposable(slots);
    } catch (error) {
      if (!(error instanceof CcparkError)) throw error;
      done(error);
      return;
    }
    const epoch = sending + 1;
    const base = baseOf(slots) === baseOf(present!.stack) ? "" : baseOf(slots);
    const offer = encodeOffer(offerOf(slots));
    const proposal: Proposal = { epoch, slots, offer, way: undefined, done };
    this.#proposal = proposal;
    const say = (address: string): void =>
      this.#succession.say(sending, PROPOSAL, encodeProposal({ epoch, base, address, offer }));
    if (base === "") say("");
    else {
      this.#options.openWay(base, (way) => {
        if (way instanceof CcparkError) this.abandon(way);
        else if (this.#proposal !== proposal) way.close?.();
        else {
          proposal.way = way;
          say(way.port.self);
        }
      });
    }
  }

  /** @throws CcparkError (failed-precondition) */
  #check(): void {
    const { present, sending, isClosed, isChanging } = this.#succession;
    if (isClosed) throw refusal("the connection is closed");
    if (present === undefined) throw refusal("the connection has not begun");
    checkExchangeable("present", present.stack);
    if (this.#proposal !== undefined || isChanging) throw refusal(UNDER_WAY);
    if (sending >= MAX_EPOCHS) throw refusal(`there have been ${MAX_EPOCHS}`);
  }

  /** The peer did not know the first stack, by which this end has proposed: it does so again by the one that was opened instead. */
  repropose(): void {
    const proposal = this.#proposal;
    if (proposal === undefined) return;
    this.#proposal = undefined;
    proposal.way?.close?.();
    this.propose(proposal.slots, proposal.done);
  }

  abandon(error: CcparkError): void {
    const proposal = this.#proposal;
    this.#proposal = undefined;
    proposal?.way?.close?.();
    proposal?.done(error);
  }

  close(): void {
    // an error costs some 20 us, and almost every connection ends without a proposal
    if (this.#proposal === undefined) return;
    this.abandon(new CcparkError("unavailable", "[transport] the connection was closed"));
  }

  /** A message of the peer. @throws WireFault */
  steer(epoch: number, kind: number, reader: WireReader): void {
    if (kind === PROPOSAL) this.#proposed(epoch, reader);
    else if (kind === CONSENT) this.#consented(reader);
    else if (kind === REFUSAL) this.#refused(reader);
  }

  #proposed(by: number, reader: WireReader): void {
    const { epoch, base, address, offer } = readProposal(reader);
    const succession = this.#succession;
    const refuse = ({ message }: CcparkError): void =>
      succession.say(by, REFUSAL, encodeRefusal({ epoch, why: message }));
    // where both propose at once the client's goes first; the server hears a refusal
    const isCrossed = this.#proposal !== undefined && this.#options.side === "client";
    if (isCrossed || epoch !== succession.receiving + 1 || succession.isChanging) {
      refuse(refusal(UNDER_WAY));
      return;
    }
    const current = succession.present!.way;
    const consent = (way: Way): void => {
      let choice: Choice;
      try {
        choice = agree(decodeOffer(offer), offerOf(this.#slots));
        this.#make(epoch, withBase(this.#slots, base), choice, "server", offer, way);
      } catch (error) {
        if (way !== current) way.close?.();
        if (error instanceof CcparkError) refuse(error);
        else if (!(error instanceof WireFault)) throw error;
        return;
      }
      succession.say(by, CONSENT, encodeConsent({ epoch, address: way.port.self, choice }));
    };
    if (base === "") consent(current);
    else {
      this.#options.openWay(base, (way) => {
        if (way instanceof CcparkError) refuse(way);
        else if (succession.isClosed) way.close?.();
        else consent({ port: way.port, peer: address, close: () => way.close?.() });
      });
    }
  }

  /** Opens the stack that was chosen. @throws CcparkError (failed-precondition, invalid-argument) */
  #make(
    epoch: number,
    slots: readonly Slot[],
    choice: Choice,
    side: "client" | "server",
    offer: Uint8Array,
    way: Way,
  ): void {
    const stack = chosenStack(slots, choice, side);
    checkExchangeable("new", stack);
    const session = epochSession(this.#options.session(), epoch);
    this.#succession.make({ number: epoch, stack, session, transcript: transcriptOf(offer, choice), way });
  }

  #consented(reader: WireReader): void {
    const proposal = this.#proposal;
    const { epoch, address, choice } = readConsent(reader);
    if (proposal?.epoch !== epoch) return;
    const { slots, offer, way } = proposal;
    const theirs: Way =
      way === undefined
        ? this.#succession.present!.way
        : { port: way.port, peer: address, close: () => way.close?.() };
    try {
      this.#make(epoch, slots, choice, "client", offer, theirs);
    } catch (error) {
      // the peer chose what was not offered: it is none of ours
      if (error instanceof CcparkError) this.#options.fail(error);
      else throw error;
      return;
    }
    this.#succession.change(epoch);
  }

  #refused(reader: WireReader): void {
    const { epoch, why } = readRefusal(reader);
    if (this.#proposal?.epoch === epoch) this.abandon(new CcparkError("failed-precondition", why));
  }

  /** That stack is the present one in both directions. */
  changed(epoch: number): void {
    if (this.#proposal?.epoch !== epoch) return;
    const { done, slots } = this.#proposal;
    this.#slots = slots;
    this.#proposal = undefined;
    // the peer ended because this end had: all has come
    this.#succession.retire(epoch - 1);
    done();
  }
}
