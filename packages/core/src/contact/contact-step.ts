/** The transitions of {@link ContactState}: events in, the next state and effects out. docs/protocol/call.md section 1. */
import { equalBytes } from "../bytes.ts";
import { EarshotError, type RefusalCode } from "../errors.ts";
import { CLOCK_SKEW_MS } from "../identity/certificate.ts";
import type { ContactEnd, ContactOffer, ContactUpdate } from "./contact-messages.ts";
import { type ContactState, nextSince, type SecretHalf, withLocator } from "./contact-state.ts";
import { pairwiseSecret, replySecret } from "./pairwise.ts";

/** What the person did (`half`: 32 fresh random bytes; `now`: Unix ms), or what came from the other's device in an opened envelope. */
export type ContactEvent =
  | { readonly type: "add"; readonly half: Uint8Array; readonly now: number }
  | { readonly type: "accept"; readonly half: Uint8Array; readonly now: number }
  | { readonly type: "decline" }
  | { readonly type: "remove"; readonly now: number }
  | { readonly type: "block" }
  | { readonly type: "unblock" }
  /** This device has moved, or the other's cannot be found: what was sent before may never arrive. */
  | { readonly type: "ask-again"; readonly now: number }
  | {
      readonly type: "message";
      readonly message: ContactOffer | ContactUpdate | ContactEnd;
      readonly senderDevice: Uint8Array;
      /** Unix ms by the sender's clock, as its envelope says. */
      readonly sentAt: number;
    };

/**
 * What the shell does next, in order.
 * - `send-request`: to the request lane of every device in the other's public bundle, with this device's locator key and name.
 * - `send-accept`, `send-end`: on the contact lane of the locators' mailboxes, paid with tokens of `tokenSecret`. `token-unknown` in answer
 *   means that the other side no longer waits for it, and is no error.
 * - `register-tokens`, `revoke-tokens`: tokens of `secret` for this side's contact mailbox, yesterday to TOKEN_AHEAD_DAYS ahead, renewed daily while {@link tokenSecrets} names it.
 * - `rotate-locator`: a new locator key and contact mailbox, told to every *other* contact by an update, and by `ask-again` to everyone
 *   who has not answered yet.
 * - `notify`: something to show.
 */
export type ContactEffect =
  | { readonly type: "send-request"; readonly own: SecretHalf }
  | { readonly type: "send-accept"; readonly own: SecretHalf; readonly tokenSecret: Uint8Array }
  | { readonly type: "send-end"; readonly since: number; readonly tokenSecret: Uint8Array }
  | { readonly type: "register-tokens"; readonly secret: Uint8Array }
  | { readonly type: "revoke-tokens"; readonly secret: Uint8Array }
  | { readonly type: "rotate-locator" }
  | { readonly type: "notify"; readonly what: "request" | "contact" | "ended" };

/** `refused`: the message changed nothing, to be counted: `stale` (older than what is known), `from-future` (a `since` that would outlast all later ones) or `not-allowed` (not from someone in this state, or for another device). */
export interface ContactStep {
  readonly state: ContactState;
  readonly effects: readonly ContactEffect[];
  readonly refused?: RefusalCode;
}

/** The pairwise secret once both are contacts: what pays for calls and updates to them. */
export function contactSecret(self: Uint8Array, state: ContactState): Uint8Array | undefined {
  return state.status === "contact"
    ? pairwiseSecret(
        { accountKey: self, half: state.own.half },
        { accountKey: state.accountKey, half: state.peer.half },
      )
    : undefined;
}

/**
 * The secrets whose tokens this side keeps registered in this state. What pays for an accept stays beside the pairwise
 * one: an accept that repeats or renews the other's half may come at any time, from a side that has no use of the old secret.
 */
export function tokenSecrets(self: Uint8Array, state: ContactState): readonly Uint8Array[] {
  if (state.status !== "added" && state.status !== "contact") return [];
  const reply = replySecret({ accountKey: self, half: state.own.half }, state.accountKey);
  const secret = contactSecret(self, state);
  return secret === undefined ? [reply] : [secret, reply];
}

/** One event. `self` is this side's account key. Accepting where nobody asked throws EarshotError `no-request`. */
export function stepContact(self: Uint8Array, state: ContactState, event: ContactEvent): ContactStep {
  switch (event.type) {
    case "add":
      return add(self, state, event.half, event.now);
    case "accept":
      if (state.status !== "requested") throw new EarshotError("no-request", "there is no request to accept");
      return add(self, state, event.half, event.now);
    case "decline":
      return state.status === "requested" ? { state: forget(state, "none"), effects: [] } : unchanged(state);
    case "remove":
      return remove(self, state, event.now);
    case "block":
      return { state: forget(state, "blocked"), effects: state.status === "blocked" ? [] : withdraw(self, state) };
    case "unblock":
      return state.status === "blocked" ? { state: forget(state, "none"), effects: [] } : unchanged(state);
    case "ask-again":
      return askAgain(state, event.now);
    case "message":
      if (event.message.since > event.sentAt + CLOCK_SKEW_MS) return refused(state, "from-future");
      return receive(self, state, event.message, event.senderDevice);
  }
}

function add(self: Uint8Array, state: ContactState, half: Uint8Array, now: number): ContactStep {
  const since = nextSince(state.lastOwn, now);
  const { accountKey, lastPeer } = state;
  switch (state.status) {
    case "contact":
      return unchanged(state);
    case "requested":
      return becomeContact(self, { ...state, lastOwn: since }, { half, since }, state.peer, state.name);
    case "added":
      return askAgain(state, now);
    case "none":
    case "blocked": {
      const own = { half, since };
      const next: ContactState = { accountKey, lastPeer, lastOwn: since, status: "added", own, locators: [] };
      return { state: next, effects: [...tokenChange(self, state, next), { type: "send-request", own }] };
    }
  }
}

/** The same half, so that an answer on its way still fits; a later `since`, so that the locator key that it carries counts. */
function askAgain(state: ContactState, now: number): ContactStep {
  if (state.status !== "added" && state.status !== "contact") return unchanged(state);
  const own = { half: state.own.half, since: nextSince(state.lastOwn, now) };
  return { state: { ...state, own, lastOwn: own.since }, effects: [{ type: "send-request", own }] };
}

function receive(
  self: Uint8Array,
  state: ContactState,
  message: ContactOffer | ContactUpdate | ContactEnd,
  senderDevice: Uint8Array,
): ContactStep {
  if (state.status === "blocked") return refused(state, "not-allowed");
  switch (message.kind) {
    case "contact-request":
      return receiveRequest(self, state, message, senderDevice);
    case "contact-accept":
      if (state.status !== "added" && state.status !== "contact") return refused(state, "not-allowed");
      if (message.since < state.lastPeer) return refused(state, "stale");
      return adopt(self, state, state.own, message, senderDevice);
    case "contact-update":
      if (state.status === "none" || !equalBytes(message.deviceKey, senderDevice)) return refused(state, "not-allowed");
      return { state: { ...state, locators: withLocator(state.locators, message) }, effects: [] };
    case "contact-end":
      return receiveEnd(self, state, message);
  }
}

function receiveRequest(
  self: Uint8Array,
  state: ContactState,
  message: ContactOffer,
  senderDevice: Uint8Array,
): ContactStep {
  const { half, since, name } = message;
  switch (state.status) {
    case "blocked":
      return refused(state, "not-allowed");
    case "none":
    case "requested": {
      if (since <= state.lastPeer) return refused(state, "stale");
      const { accountKey, lastOwn } = state;
      const known = state.status === "requested" ? state.locators : [];
      const locators = withLocator(known, { deviceKey: senderDevice, locatorKey: message.locatorKey, since });
      const next: ContactState = {
        ...{ accountKey, lastOwn, lastPeer: since, status: "requested" },
        ...{ peer: { half, since }, name, locators },
      };
      return { state: next, effects: [{ type: "notify", what: "request" }] };
    }
    case "added":
    case "contact": {
      if (since < state.lastPeer) return refused(state, "stale");
      const step = adopt(self, state, state.own, message, senderDevice);
      // They asked, so they may not have our half: it goes out again, and changes nothing where they have it.
      return { ...step, effects: [...step.effects, sendAccept(self, state, state.own, half)] };
    }
  }
}

/** Someone we added offers their half: contacts from here on, with the secret of the two latest halves. */
function adopt(
  self: Uint8Array,
  state: ContactState & { readonly status: "added" | "contact" },
  own: SecretHalf,
  message: ContactOffer,
  senderDevice: Uint8Array,
): ContactStep {
  const { locatorKey, since, name } = message;
  const locators = withLocator(state.locators, { deviceKey: senderDevice, locatorKey, since });
  const known = state.status === "contact" && state.peer.since >= since ? state.peer : { half: message.half, since };
  const { accountKey, lastOwn } = state;
  const next: ContactState = {
    ...{ accountKey, lastOwn, lastPeer: since, status: "contact" },
    ...{ own, peer: known, name, locators },
  };
  const effects = tokenChange(self, state, next);
  return {
    state: next,
    effects: state.status === "contact" ? effects : [...effects, { type: "notify", what: "contact" }],
  };
}

/** The person took up a request. */
function becomeContact(
  self: Uint8Array,
  state: ContactState & { readonly status: "requested" },
  own: SecretHalf,
  peer: SecretHalf,
  name: string,
): ContactStep {
  const next: ContactState = { ...state, status: "contact", own, peer, name };
  const accept = sendAccept(self, state, own, peer.half);
  return { state: next, effects: [...tokenChange(self, state, next), accept, { type: "notify", what: "contact" }] };
}

function receiveEnd(self: Uint8Array, state: ContactState, { since }: ContactEnd): ContactStep {
  if (state.status === "none" || state.status === "added") return refused(state, "not-allowed");
  if (since < state.lastPeer) return refused(state, "stale");
  if (state.status !== "contact") return { state: { ...forget(state, "none"), lastPeer: since }, effects: [] };
  const { accountKey, lastOwn, own } = state;
  // Still added here: their next request makes the two contacts again without asking.
  const next: ContactState = { accountKey, lastOwn, lastPeer: since, status: "added", own, locators: [] };
  return { state: next, effects: [...tokenChange(self, state, next), { type: "notify", what: "ended" }] };
}

function remove(self: Uint8Array, state: ContactState, now: number): ContactStep {
  if (state.status === "none" || state.status === "blocked") return unchanged(state);
  const since = nextSince(state.lastOwn, now);
  const tokenSecret = contactSecret(self, state);
  const end: ContactEffect[] = tokenSecret === undefined ? [] : [{ type: "send-end", since, tokenSecret }];
  return { state: { ...forget(state, "none"), lastOwn: since }, effects: [...end, ...withdraw(self, state)] };
}

/** Whoever had a locator key of ours, because we asked or accepted, must not find this device with it any more. */
function withdraw(self: Uint8Array, state: ContactState): readonly ContactEffect[] {
  const revoked = tokenChange(self, state, forget(state, "none"));
  return state.status === "added" || state.status === "contact" ? [...revoked, { type: "rotate-locator" }] : revoked;
}

function tokenChange(self: Uint8Array, before: ContactState, after: ContactState): readonly ContactEffect[] {
  const [old, fresh] = [tokenSecrets(self, before), tokenSecrets(self, after)];
  const without = (secrets: readonly Uint8Array[], others: readonly Uint8Array[]) =>
    secrets.filter((secret) => !others.some((other) => equalBytes(secret, other)));
  return [
    ...without(fresh, old).map((secret) => ({ type: "register-tokens" as const, secret })),
    ...without(old, fresh).map((secret) => ({ type: "revoke-tokens" as const, secret })),
  ];
}

function sendAccept(self: Uint8Array, state: ContactState, own: SecretHalf, peerHalf: Uint8Array): ContactEffect {
  return {
    type: "send-accept",
    own,
    tokenSecret: replySecret({ accountKey: state.accountKey, half: peerHalf }, self),
  };
}

function forget({ accountKey, lastOwn, lastPeer }: ContactState, status: "none" | "blocked"): ContactState {
  return { accountKey, lastOwn, lastPeer, status };
}

function unchanged(state: ContactState): ContactStep {
  return { state, effects: [] };
}

function refused(state: ContactState, code: RefusalCode): ContactStep {
  return { state, effects: [], refused: code };
}
