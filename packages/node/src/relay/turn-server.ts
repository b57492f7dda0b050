/**
 * A TURN server (RFC 8656) without its sockets: frames of clients in, frames out. It knows names that end by themselves, relays
 * for no longer and no more than its limits say, and to nobody whom its policy denies.
 */
import {
  attributeOf,
  answerBinding,
  type Clock,
  decodeChannelData,
  decodeTurn,
  encodeXorAddress,
  isChannelData,
  isStunRequest,
  type RandomSource,
  STUN_BINDING_REQUEST,
  STUN_MESSAGE_INTEGRITY,
  STUN_MESSAGE_INTEGRITY_SHA256,
  STUN_NONCE,
  STUN_REALM,
  STUN_USERNAME,
  STUN_XOR_MAPPED_ADDRESS,
  type StunAttribute,
  type StunMessage,
  TokenBucket,
  TURN_ALLOCATE,
  TURN_CHANNEL_BIND,
  TURN_CHANNEL_NUMBER,
  TURN_CREATE_PERMISSION,
  TURN_DATA_ATTRIBUTE,
  TURN_EVEN_PORT,
  TURN_FIRST_CHANNEL,
  TURN_LAST_CHANNEL,
  TURN_LIFETIME,
  TURN_REFRESH,
  TURN_REQUESTED_ADDRESS_FAMILY,
  TURN_REQUESTED_TRANSPORT,
  TURN_RESERVATION_TOKEN,
  TURN_SEND,
  TURN_XOR_PEER_ADDRESS,
  TURN_XOR_RELAYED_ADDRESS,
} from "@earshot/core";
import { PartyCounts } from "../party-counts.ts";
import { hostOf } from "../prefix.ts";
import { BoundedMap } from "../store/bounded-map.ts";
import { Allocation, type Change, type PacketOutcome } from "./allocation.ts";
import { covered } from "./integrity.ts";
import { mayRelayTo, type PeerPolicy } from "./peer-policy.ts";
import type { OpenRelaySocket, RelayFamily, RelaySocket, TurnClient } from "./relay-ports.ts";
import { Reservations } from "./reservations.ts";
import { askedOf } from "./turn-asked.ts";
import { type Asker, authenticate } from "./turn-auth.ts";
import type { TurnLimits } from "./turn-limits.ts";
import { TurnNonces } from "./turn-nonce.ts";
import {
  challenge,
  failure,
  familyOf,
  lifetime,
  lifetimeOf,
  peersOf,
  type Proof,
  success,
  type TurnErrorCode,
  unknownAttributes,
} from "./turn-reply.ts";

/** RFC 8656 sections 7.2 and 8: what a client gets that asks for less, and at most. */
const DEFAULT_LIFETIME_S = 600;
const MAX_LIFETIME_S = 3_600;
const UNDERSTOOD = new Set([
  STUN_USERNAME,
  STUN_MESSAGE_INTEGRITY,
  STUN_MESSAGE_INTEGRITY_SHA256,
  STUN_REALM,
  STUN_NONCE,
  TURN_CHANNEL_NUMBER,
  TURN_LIFETIME,
  TURN_XOR_PEER_ADDRESS,
  TURN_DATA_ATTRIBUTE,
  TURN_REQUESTED_ADDRESS_FAMILY,
  TURN_EVEN_PORT,
  TURN_REQUESTED_TRANSPORT,
  TURN_RESERVATION_TOKEN,
]);

/** What became of a request: `ok`, STUN's error code, or why it was dropped. */
export type RequestOutcome = "ok" | TurnErrorCode | "malformed" | "limited";

export interface TurnServerOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: TurnLimits;
  /** As coturn's `static-auth-secret` has it. */
  readonly secret: string;
  readonly peers: PeerPolicy;
  readonly families: readonly RelayFamily[];
  readonly open: OpenRelaySocket;
  onRequest(outcome: RequestOutcome): void;
  onPacket(outcome: PacketOutcome | "no-allocation" | "denied", bytes: number): void;
}

interface Held {
  readonly allocation: Allocation;
  /** The request that made it, which may come again (RFC 8656 section 7.2). */
  readonly transactionId: string;
  answer: Uint8Array | undefined;
}

export class TurnServer {
  readonly #options: TurnServerOptions;
  readonly #nonces: TurnNonces;
  readonly #total: TokenBucket;
  readonly #askers: BoundedMap<TokenBucket>;
  /** By client. */
  readonly #held = new Map<string, Held>();
  readonly #ofUser = new PartyCounts();
  readonly #reservations: Reservations;

  constructor(options: TurnServerOptions) {
    const { clock, random, limits } = options;
    this.#options = options;
    this.#nonces = new TurnNonces(clock, random);
    this.#total = new TokenBucket(limits.bytesTotal, clock.now());
    this.#askers = new BoundedMap(limits.maxAddresses);
    this.#reservations = new Reservations(clock, random);
  }

  get allocations(): number {
    return this.#held.size;
  }

  has(client: TurnClient): boolean {
    return this.#held.has(client.key);
  }

  /** One datagram or one frame of a stream. */
  handle(client: TurnClient, bytes: Uint8Array): void {
    if (bytes.length > 0 && isChannelData(bytes[0] as number)) return this.#handleChannelData(client, bytes);
    const decoded = decodeTurn(bytes);
    if (!decoded.ok) return this.#options.onRequest("malformed");
    const message = decoded.value;
    if (message.type === TURN_SEND) return this.#handleSend(client, message);
    if (!isStunRequest(message)) return this.#options.onRequest("malformed");
    if (!this.#held.has(client.key) && !this.#mayAsk(client)) return this.#options.onRequest("limited");
    if (message.type === STUN_BINDING_REQUEST) return this.#handleBinding(client, bytes);
    this.#handleRequest(client, message, bytes);
  }

  /** Its connection is gone, and its allocation with it. */
  gone(client: TurnClient): void {
    this.#release(client.key);
  }

  /** Ends what has expired. To be called every few seconds. */
  check(): void {
    const now = this.#options.clock.now();
    for (const [key, { allocation, answer }] of this.#held)
      if (answer !== undefined && allocation.expiresAt <= now) this.#release(key);
    this.#reservations.check();
  }

  close(): void {
    this.#reservations.close();
    for (const key of this.#held.keys()) this.#release(key);
  }

  // ---------------------------------------------------------------- packets

  #handleChannelData(client: TurnClient, bytes: Uint8Array): void {
    const decoded = decodeChannelData(bytes);
    if (!decoded.ok) return this.#options.onRequest("malformed");
    const allocation = this.#live(client);
    if (allocation === undefined) return this.#options.onPacket("no-allocation", bytes.length);
    allocation.sendOn(decoded.value.channel, decoded.value.data);
  }

  #handleSend(client: TurnClient, message: StunMessage): void {
    const [peer] = peersOf(message);
    const data = attributeOf(message, TURN_DATA_ATTRIBUTE);
    const isPlain = message.attributes.every(({ type }) => type >= 0x8000 || UNDERSTOOD.has(type));
    if (!peer?.ok || data === undefined || !isPlain) return this.#options.onRequest("malformed");
    const allocation = this.#live(client);
    if (allocation === undefined) return this.#options.onPacket("no-allocation", data.length);
    allocation.sendTo(peer.value, data);
  }

  #live(client: TurnClient): Allocation | undefined {
    const held = this.#held.get(client.key);
    return held !== undefined && held.allocation.expiresAt > this.#options.clock.now() ? held.allocation : undefined;
  }

  // ---------------------------------------------------------------- requests

  #mayAsk({ source }: TurnClient): boolean {
    const now = this.#options.clock.now();
    const party = hostOf(source.address);
    let bucket = this.#askers.get(party);
    if (!bucket) this.#askers.set(party, (bucket = new TokenBucket(this.#options.limits.requestsPerAddress, now)));
    return bucket.tryTake(now);
  }

  #handleBinding(client: TurnClient, bytes: Uint8Array): void {
    const answer = answerBinding(bytes, client.source);
    if (!answer.ok) return this.#options.onRequest("malformed");
    client.send(answer.value);
    this.#options.onRequest("ok");
  }

  #handleRequest(client: TurnClient, request: StunMessage, bytes: Uint8Array): void {
    const refuse = (code: TurnErrorCode, proof?: Proof) => this.#answer(client, failure(request, code, proof), code);
    const asker = authenticate(
      { request, bytes, holds: this.#held.get(client.key)?.allocation, now: this.#options.clock.now() },
      this.#options.secret,
      (nonce) => this.#nonces.isCurrent(nonce, client.key),
    );
    if (typeof asker === "number") {
      if (asker === 401 || asker === 438)
        return this.#answer(client, challenge(request, asker, this.#nonces.issue(client.key)), asker);
      return refuse(asker);
    }
    const message = covered(request);
    const unknown = message.attributes.map(({ type }) => type).filter((type) => type < 0x8000 && !UNDERSTOOD.has(type));
    if (unknown.length > 0) return this.#answer(client, unknownAttributes(request, unknown, asker), 420);
    if (message.type === TURN_ALLOCATE) return this.#allocate(client, message, asker);
    const held = this.#held.get(client.key);
    const allocation = this.#live(client);
    if (held?.answer === undefined || allocation === undefined) return refuse(437, asker);
    if (allocation.username !== asker.username) return refuse(441, asker);
    const result = this.#change(client, allocation, message);
    if (typeof result === "number") return refuse(result, asker);
    this.#answer(client, success(request, result, asker), "ok");
  }

  #change(client: TurnClient, allocation: Allocation, message: StunMessage): readonly StunAttribute[] | TurnErrorCode {
    if (message.type === TURN_REFRESH) return this.#refresh(client, allocation, message);
    if (message.type === TURN_CREATE_PERMISSION) return this.#permit(allocation, message);
    if (message.type === TURN_CHANNEL_BIND) return this.#bind(allocation, message);
    return 400;
  }

  // ---------------------------------------------------------------- allocate (RFC 8656 section 7.2)

  #allocate(client: TurnClient, request: StunMessage, asker: Asker): void {
    const refuse = (code: TurnErrorCode) => this.#answer(client, failure(request, code, asker), code);
    const transactionId = Buffer.from(request.transactionId).toString("latin1");
    const held = this.#held.get(client.key);
    if (held !== undefined) {
      if (held.transactionId !== transactionId) return refuse(437);
      // It came again: the same answer, if there is one yet.
      if (held.answer !== undefined) this.#answer(client, held.answer, "ok");
      return;
    }
    const asked = askedOf(request, this.#options.families, this.#reservations.isFull);
    if (typeof asked === "number") return refuse(asked);
    const { limits, clock } = this.#options;
    if (this.#ofUser.of(asker.username) >= limits.maxAllocationsPerUser) return refuse(486);
    if (this.#held.size >= limits.maxAllocations) return refuse(508);
    const kept = asked.token && this.#reservations.take(asked.token, asker.username);
    if (asked.token !== undefined && kept === undefined) return refuse(508);
    const family = kept?.family ?? asked.family;
    const { username, key } = asker;
    const allocation = new Allocation({
      client,
      username,
      key,
      family,
      limits,
      clock,
      total: this.#total,
      onPacket: this.#options.onPacket,
      onSpent: () => this.#release(client.key),
    });
    const entry: Held = { allocation, transactionId, answer: undefined };
    this.#held.set(client.key, entry);
    this.#ofUser.add(username, 1);
    const opening: Promise<[RelaySocket, RelaySocket?]> = kept
      ? Promise.resolve([kept.socket])
      : this.#options.open(family, asked.ports);
    void opening.then(
      ([socket, second]) => {
        if (this.#held.get(client.key) !== entry) {
          socket.close();
          second?.close();
          return;
        }
        const token = second && this.#reservations.keep(second, family, username);
        this.#begin(entry, socket, request, asker, asked.seconds, token);
      },
      () => {
        if (this.#held.get(client.key) === entry) this.#release(client.key);
        refuse(508);
      },
    );
  }

  #begin(
    entry: Held,
    socket: RelaySocket,
    request: StunMessage,
    asker: Asker,
    asked: number | undefined,
    token: Uint8Array | undefined,
  ): void {
    const { allocation } = entry;
    allocation.open(socket);
    const seconds = this.#extend(allocation, asked);
    const { transactionId } = request;
    const attributes = [
      { type: TURN_XOR_RELAYED_ADDRESS, value: encodeXorAddress(socket.address, transactionId) },
      lifetime(seconds),
      { type: STUN_XOR_MAPPED_ADDRESS, value: encodeXorAddress(allocation.client.source, transactionId) },
    ];
    if (token !== undefined) attributes.push({ type: TURN_RESERVATION_TOKEN, value: token });
    entry.answer = success(request, attributes, asker);
    this.#answer(allocation.client, entry.answer, "ok");
  }

  /** The seconds that it got. */
  #extend(allocation: Allocation, asked: number | undefined): number {
    const now = this.#options.clock.now();
    const left = Math.floor((allocation.createdAt + this.#options.limits.maxAllocationMs - now) / 1_000);
    const wanted = Math.min(Math.max(asked ?? DEFAULT_LIFETIME_S, DEFAULT_LIFETIME_S), MAX_LIFETIME_S);
    const seconds = Math.max(0, Math.min(wanted, left));
    allocation.expiresAt = now + seconds * 1_000;
    return seconds;
  }

  // ---------------------------------------------------------------- the others

  #refresh(client: TurnClient, allocation: Allocation, request: StunMessage): readonly StunAttribute[] | TurnErrorCode {
    const seconds = lifetimeOf(request);
    if (seconds === "bad") return 400;
    const family = attributeOf(request, TURN_REQUESTED_ADDRESS_FAMILY);
    if (family !== undefined && familyOf(family) !== allocation.family) return 443;
    if (seconds === 0) {
      this.#release(client.key);
      return [lifetime(0)];
    }
    const got = this.#extend(allocation, seconds);
    return got === 0 ? 486 : [lifetime(got)];
  }

  #permit(allocation: Allocation, request: StunMessage): readonly StunAttribute[] | TurnErrorCode {
    const peers = peersOf(request);
    if (peers.length === 0) return 400;
    const addresses: Uint8Array[] = [];
    for (const peer of peers) {
      if (!peer.ok) return 400;
      const refusal = this.#refusalOf(allocation, peer.value.address);
      if (refusal !== undefined) return refusal;
      addresses.push(peer.value.address);
    }
    return changed(allocation.permit(addresses));
  }

  #bind(allocation: Allocation, request: StunMessage): readonly StunAttribute[] | TurnErrorCode {
    const number = attributeOf(request, TURN_CHANNEL_NUMBER);
    const [peer] = peersOf(request);
    if (number?.length !== 4 || !peer?.ok) return 400;
    const channel = new DataView(number.buffer, number.byteOffset).getUint16(0);
    if (channel < TURN_FIRST_CHANNEL || channel > TURN_LAST_CHANNEL) return 400;
    return this.#refusalOf(allocation, peer.value.address) ?? changed(allocation.bind(channel, peer.value));
  }

  #refusalOf(allocation: Allocation, peer: Uint8Array): 403 | 443 | undefined {
    if (peer.length !== (allocation.family === 4 ? 4 : 16)) return 443;
    if (mayRelayTo(peer, this.#options.peers)) return undefined;
    this.#options.onPacket("denied", 0);
    return 403;
  }

  #answer(client: TurnClient, answer: Uint8Array, outcome: RequestOutcome): void {
    client.send(answer);
    this.#options.onRequest(outcome);
  }

  #release(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    held.allocation.close();
    held.allocation.client.released();
    this.#ofUser.add(held.allocation.username, -1);
  }
}

function changed(change: Change): readonly StunAttribute[] | TurnErrorCode {
  return change === "done" ? [] : change;
}
