/** Whoever runs the supernode, or sits in front of it: sees and changes every frame between a client and its node. */
import {
  type ClientFrame,
  decodeClientFrame,
  decodeServerFrame,
  encodeFrame,
  LANE_CONTACT,
  mailboxIdOf,
  type ServerFrame,
  toHex,
} from "@earshot/core";
import type { Connection, NodeAddress, Transport } from "@earshot/sdk";
import { nodeTransport } from "@earshot/sdk/node";

export type Lane = "contact" | "request";
type EnvelopeFrame = Extract<ServerFrame, { type: "envelope" }>;

/** What the client gets instead of an envelope, in this order; nothing, where it is dropped. */
export type Tamper = (envelope: Uint8Array, lane: Lane) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;

/** Hands on every envelope as it came. */
export const untouched: Tamper = (envelope) => [envelope];

/** Numbers that the node gives to no envelope of its own. */
const FIRST_INJECTED_SEQ = 2 ** 40;

/** The attacker's place on the way from the node to one client. Frames are real, the node is real, the client knows nothing. */
export class InPath {
  tamper: Tamper = untouched;
  /** What the client gets instead of any other frame of the node's. */
  answer: (frame: ServerFrame) => ServerFrame = (frame) => frame;
  /** What the node gets instead of a frame of the client's. */
  request: (frame: ClientFrame) => ClientFrame = (frame) => frame;
  /** Every envelope that came from the node, as it came. */
  readonly seen: { readonly envelope: Uint8Array; readonly lane: Lane }[] = [];
  readonly #lanes = new Map<string, Lane>();
  readonly #mailboxes = new Map<Lane, { readonly id: Uint8Array; readonly connection: Connection }>();
  #injected = FIRST_INJECTED_SEQ;
  #order: Promise<void> = Promise.resolve();

  /** For `createClient`. */
  readonly transport: Transport = { connect: (node) => this.#connect(node) };

  /** Gives the client an envelope of the attacker's own making, or one from before. */
  inject(envelope: Uint8Array, lane: Lane = "contact"): void {
    const mailbox = this.#mailboxes.get(lane);
    if (!mailbox) throw new Error("the client has not opened its mailboxes");
    this.#push(mailbox.connection, {
      type: "envelope",
      requestId: 0,
      mailboxId: mailbox.id,
      seq: this.#injected++,
      envelope,
    });
  }

  async #connect(node: NodeAddress): Promise<Connection> {
    const inner = await nodeTransport().connect(node);
    const outer: Connection = {
      onMessage: () => {},
      onClose: () => {},
      close: () => inner.close(),
      send: (message) => {
        const frame = decodeClientFrame(message);
        if (!frame.ok) return inner.send(message);
        this.#noteMailbox(frame.value, outer);
        inner.send(encodeFrame(this.request(frame.value)));
      },
    };
    inner.onClose = (reason) => outer.onClose(reason);
    inner.onMessage = (message) => {
      // One after the other, as a stream is, also while the attacker works on an envelope.
      this.#order = this.#order.then(() => this.#handle(message, outer));
    };
    return outer;
  }

  async #handle(message: Uint8Array, outer: Connection): Promise<void> {
    const frame = decodeServerFrame(message);
    if (!frame.ok) return outer.onMessage(message);
    if (frame.value.type !== "envelope") return outer.onMessage(encodeFrame(this.answer(frame.value)));
    const { mailboxId } = frame.value;
    const lane = this.#lanes.get(toHex(mailboxId)) ?? "contact";
    const envelope = Uint8Array.from(frame.value.envelope);
    this.seen.push({ envelope, lane });
    const [first, ...more] = await this.tamper(envelope, lane);
    if (first) this.#push(outer, { ...frame.value, envelope: first });
    for (const each of more) this.inject(each, lane);
  }

  #push(connection: Connection, frame: EnvelopeFrame): void {
    connection.onMessage(encodeFrame(frame));
  }

  #noteMailbox(frame: ClientFrame, connection: Connection): void {
    if (frame.type !== "open-mailbox") return;
    const id = mailboxIdOf(frame.mailboxKey);
    const lane = frame.lanes === LANE_CONTACT ? "contact" : "request";
    this.#lanes.set(toHex(id), lane);
    this.#mailboxes.set(lane, { id, connection });
  }
}
