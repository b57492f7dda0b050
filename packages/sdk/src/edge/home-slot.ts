import { type Clock, type EdgeEvent, type EdgeSession, toHex, unitFromBytes, type Welcome } from "@earshot/core";
import type { NodeAddress } from "../api.ts";
import { iceServersOf } from "../calls/ice-servers.ts";
import { EdgeLink, type EdgeLinkPorts } from "./edge-link.ts";
import type { Mailboxes } from "./mailboxes.ts";

/** What a home tells its owner. */
export interface HomeSlotHandlers {
  onUp(slot: HomeSlot, session: EdgeSession, welcome: Welcome): void;
  onDown(slot: HomeSlot, problem: string, retryInMs: number): void;
  /** Envelopes can be handed over there. */
  onDeliveries(slot: HomeSlot): void;
  onPush(slot: HomeSlot, event: Extract<EdgeEvent, { type: "envelope" | "moved" | "drain" }>): void;
  onProblem(error: unknown): void;
}

/**
 * One home: the mailboxes there, and two connections, one that has them open and one for deliveries, kept apart so that
 * the supernode cannot tie the two together by them.
 */
export class HomeSlot {
  readonly key: string;
  readonly mailboxes: Mailboxes;
  readonly inbox: EdgeLink;
  readonly deliveries: EdgeLink;
  /** `ready`: open, and what waited is handled. */
  phase: "connecting" | "arriving" | "ready" = "connecting";
  /** Why it does not become ready, where this side closed the connection. */
  failure: string | undefined;
  /** When it was connected last; 0: never. Unix milliseconds. */
  since = 0;
  /** Since when it is away. */
  lostAt: number | undefined;
  /** When it said that it goes. */
  drainingAt: number | undefined;
  /** In [0, 1), drawn anew at each loss. */
  unit = 0;
  /** Since when its mailboxes have not been open. */
  #awayAt: number | undefined;
  requestWorkBits: number | undefined;
  iceServers: readonly RTCIceServer[] = [];
  readonly #ports: EdgeLinkPorts;

  constructor(
    ports: EdgeLinkPorts,
    mailboxes: Mailboxes,
    node: (mailboxes: Mailboxes) => NodeAddress,
    handlers: HomeSlotHandlers,
  ) {
    this.#ports = ports;
    this.mailboxes = mailboxes;
    const { supernodeKey } = mailboxes.home;
    this.key = toHex(supernodeKey);
    const address = () => node(mailboxes);
    const options = { expectedKey: () => supernodeKey };
    this.inbox = new EdgeLink(
      ports,
      address,
      {
        onUp: (session, welcome) => {
          this.#came(ports.clock);
          handlers.onUp(this, session, welcome);
        },
        onDown: (problem, retryInMs) => {
          this.#went();
          handlers.onDown(this, problem, retryInMs);
        },
        onPush: (event) => handlers.onPush(this, event),
      },
      options,
    );
    const onUp = (session: EdgeSession, welcome: Welcome) => {
      this.requestWorkBits = welcome.requestWorkBits;
      this.#askIce(session).catch(handlers.onProblem);
      handlers.onDeliveries(this);
    };
    this.deliveries = new EdgeLink(ports, address, { onUp }, options);
    this.#went();
  }

  /** Connected. */
  get up(): boolean {
    return this.lostAt === undefined;
  }

  /** It is being left, but works and has not said that it goes: it may be stayed at. */
  get stayable(): boolean {
    return this.mailboxes.leaving && this.up && this.drainingAt === undefined;
  }

  start(): void {
    if (this.phase === "connecting") {
      this.#awayAt = undefined;
      this.#went();
    }
    this.inbox.start();
    this.deliveries.start();
  }

  stop(): void {
    this.inbox.stop();
    this.deliveries.stop();
    this.mailboxes.handleDown();
    this.#went();
  }

  hurry(): void {
    this.inbox.hurry();
    this.deliveries.hurry();
  }

  urge(): void {
    this.inbox.urge();
    this.deliveries.urge();
  }

  /** The clock was set, or the device slept: how long it has been away is not known. */
  clockJumped(): void {
    if (this.#awayAt !== undefined) this.#awayAt = this.#ports.clock.now();
    if (this.lostAt !== undefined) this.lostAt = this.#awayAt;
  }

  #came(clock: Clock): void {
    this.since = clock.now();
    this.lostAt = undefined;
    this.drainingAt = undefined;
    this.phase = "arriving";
    this.failure = undefined;
  }

  #went(): void {
    // One that answers and then opens no mailbox is as good as away, however often it answers.
    if (this.phase === "ready" || this.#awayAt === undefined) {
      this.#awayAt = this.#ports.clock.now();
      this.unit = unitFromBytes(this.#ports.random.bytes(4));
    }
    this.lostAt = this.#awayAt;
    this.phase = "connecting";
  }

  async #askIce(session: EdgeSession): Promise<void> {
    const answer = await session.request({ type: "get-ice" });
    if (answer.ok) this.iceServers = iceServersOf(answer.value.urls);
  }
}
