/**
 * HyperDHT with limits (design: "Eclipse"). A node's id follows from its address and port, so one address has 64,000 of
 * them: tables and look-ups take one node per address and two per /24, and what is kept for others has quotas.
 */
import { RECORD_BYTES, type RefusalCode } from "@earshot/core";
import type { DhtGuard } from "./dht-guard.ts";
import {
  DHT_COMMANDS,
  decodeMessage,
  HyperDHT,
  messages,
  NOT_KEPT,
  type Query,
  type Request,
  type TableNode,
  UNKNOWN_COMMAND,
} from "./hyperdht.ts";

export class GuardedDht extends HyperDHT {
  readonly #guard: DhtGuard;

  constructor(guard: DhtGuard, options: ConstructorParameters<typeof HyperDHT>[0]) {
    // A `delayed ping` holds a timer for whoever asks: nothing of ours uses it.
    super({ ...options, maxPingDelay: 1 });
    this.#guard = guard;
    const filter = this._filterNode;
    this._filterNode = (node) => guard.allows(node.host) && (filter === null || filter(node));
  }

  /** Everything that others ask. What is over the rate is not answered at all. */
  override _onrequest(request: Request, external: boolean): void {
    if (this.#guard.admits(request.from.host)) super._onrequest(request, external);
  }

  override onrequest(request: Request): boolean {
    switch (request.command) {
      case DHT_COMMANDS.peerHandshake:
      case DHT_COMMANDS.peerHolepunch:
        return this.#onRelayed(request);
      case DHT_COMMANDS.mutablePut:
        return this.#onPut(request);
      case DHT_COMMANDS.announce:
        return this.#onAnnounce(request);
      case DHT_COMMANDS.immutablePut:
      case DHT_COMMANDS.plugin:
        // Nothing of ours is kept that way: it would be anybody's free storage.
        this.#guard.options.refused("not-allowed");
        request.error(UNKNOWN_COMMAND);
        return true;
      default:
        return super.onrequest(request);
    }
  }

  /** Into the routing table. */
  override _addNode(node: TableNode): void {
    if (this.nodes.has(node) || this.#hasRoom(node.host)) super._addNode(node);
  }

  /**
   * Asked whether it still lives. dht-rpc keeps it where it has been heard of since, by a clock of 5 s: whoever says that a
   * node is down right after that was heard of would have it removed, whatever it answers.
   */
  override _check(node: TableNode): void {
    node.seen = Math.min(node.seen, this._tick - 1);
    super._check(node);
  }

  override query<T>(...args: Parameters<HyperDHT["query"]>): Query<T> {
    return this.#limited(super.query(...args) as Query<T>);
  }
  override findNode(...args: Parameters<HyperDHT["findNode"]>): Query {
    return this.#limited(super.findNode(...args));
  }
  override _backgroundQuery(target: Buffer): Query {
    return this.#limited(super._backgroundQuery(target));
  }

  /** Tables hold some hundred nodes. Counted anew each time: dht-rpc drops some without a word when its id changes. */
  #hasRoom(host: string): boolean {
    const spread = this.#guard.spread();
    if (!spread) return true;
    for (let node = this.nodes.latest; node !== null; node = node.prev) spread.add(node.host);
    return spread.hasRoom(host);
  }

  /** Holds a look-up to the same spread: what hostile answers name is asked no more often than that. */
  #limited<T>(query: Query<T>): Query<T> {
    const spread = this.#guard.spread();
    if (!spread) return query;
    const add = query._addPending.bind(query);
    query._addPending = (node, ref) => {
      const name = `${node.host}:${node.port}`;
      if (query._seen.has(name)) return add(node, ref);
      // True: the rest of the answer is looked at all the same.
      if (!spread.hasRoom(node.host)) return true;
      const added = add(node, ref);
      if (query._seen.has(name)) spread.add(node.host);
      return added;
    };
    return query;
  }

  /** Handshakes and hole punching for third parties: HyperDHT sends them wherever the request says. */
  #onRelayed(request: Request): boolean {
    const isHandshake = request.command === DHT_COMMANDS.peerHandshake;
    // Before any of its cryptography.
    if (isHandshake && !this.#guard.admitsHandshake(request.from.host)) return true;
    const handshake = isHandshake ? decodeMessage(messages.handshake, request.value) : undefined;
    const message = isHandshake ? handshake : decodeMessage(messages.holepunch, request.value);
    const addresses = [message?.peerAddress, handshake?.relayAddress];
    if (message && addresses.every((address) => !address || this.#guard.allows(address.host)))
      return super.onrequest(request);
    return this.#ignore(message ? "not-allowed" : "bad-frame");
  }

  #onPut(request: Request): boolean {
    const put = decodeMessage(messages.mutablePutRequest, request.value);
    if (!put?.value || !isProven(request)) return this.#ignore("bad-frame");
    const name = request.target.toString("hex");
    const { host } = request.from;
    const isTooLarge = put.value.length > RECORD_BYTES;
    if (isTooLarge) this.#guard.options.refused("too-large");
    if (isTooLarge || !this.#guard.mayKeepRecord(name, host)) return notKept(request);
    return this.#watched(request, () => this.#guard.keptRecord(name, host));
  }

  #onAnnounce(request: Request): boolean {
    const announce = decodeMessage(messages.announce, request.value);
    if (!announce?.peer || !isProven(request)) return this.#ignore("bad-frame");
    const { host } = request.from;
    const target = request.target.toString("hex");
    const own = HyperDHT.hash(announce.peer.publicKey).equals(request.target);
    const topic = own ? undefined : target;
    const name = `${target} ${announce.peer.publicKey.toString("hex")}`;
    if (!this.#guard.mayAnnounce(name, host, topic)) return notKept(request);
    return this.#watched(request, () => this.#guard.announced(name, host, topic));
  }

  /** Without an answer. */
  #ignore(code: RefusalCode): true {
    this.#guard.options.refused(code);
    return true;
  }

  /** HyperDHT's own checks: it answers what it took, gives an error for a put that rolls back, and ignores what is not signed. */
  #watched(request: Request, onTaken: () => void): boolean {
    const { refused } = this.#guard.options;
    let heard = false;
    const { reply, error } = request;
    request.reply = (...args) => {
      heard = true;
      onTaken();
      reply.apply(request, args);
    };
    request.error = (...args) => {
      heard = true;
      refused("rolled-back");
      error.apply(request, args);
    };
    const known = super.onrequest(request);
    if (known && !heard) refused("bad-signature");
    return known;
  }
}

/** Its sender is where it says: it brings back a token that went there. */
function isProven(request: Request): request is Request & { target: Buffer } {
  return request.token !== null && request.target !== null;
}

/** Silence would make its sender think that we are dead, and forget us. */
function notKept(request: Request): true {
  request.error(NOT_KEPT);
  return true;
}
