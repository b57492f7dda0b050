import {
  type ContactEffect,
  type ContactEvent,
  type ContactMessage,
  type ContactState,
  contactSecret,
  decodeContactState,
  encodeContactState,
  newContact,
  publicKeyOf,
  stepContact,
  toHex,
  tokenSecrets,
} from "@earshot/core";
import { SeededRandom } from "@earshot/testkit";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

type Sent = { readonly message: Exclude<ContactMessage, { kind: "contact-update" }>; readonly payment?: string };

/** One person's app: the state of the one other, the tokens it has registered, and what it has sent and not yet delivered. */
class Side {
  state: ContactState;
  readonly tokens = new Set<string>();
  readonly outbox: Sent[] = [];
  readonly shown: string[] = [];
  rotations = 0;
  readonly #device: Uint8Array;
  readonly #random: SeededRandom;
  readonly self: Uint8Array;
  constructor(self: Uint8Array, other: Uint8Array, seedNumber: number) {
    this.self = self;
    this.state = newContact(other);
    this.#random = new SeededRandom(seedNumber);
    this.#device = publicKeyOf(this.#random.bytes(32));
  }
  half(): Uint8Array {
    return this.#random.bytes(32);
  }
  do(event: ContactEvent): void {
    const step = stepContact(this.self, this.state, event);
    this.state = step.state;
    for (const effect of step.effects) this.#carryOut(effect);
    expect([...this.tokens].sort()).toEqual(tokenSecrets(this.self, this.state).map(toHex).sort());
    const kept = decodeContactState(encodeContactState(this.state));
    expect(kept).toEqual({ ok: true, value: this.state });
  }
  #carryOut(effect: ContactEffect): void {
    const offer = (kind: "contact-request" | "contact-accept", own: { half: Uint8Array; since: number }) =>
      ({ kind, locatorKey: this.#device, half: own.half, since: own.since, name: "someone" }) as const;
    if (effect.type === "register-tokens") this.tokens.add(toHex(effect.secret));
    else if (effect.type === "revoke-tokens") this.tokens.delete(toHex(effect.secret));
    else if (effect.type === "send-request") this.outbox.push({ message: offer("contact-request", effect.own) });
    else if (effect.type === "send-accept")
      this.outbox.push({ message: offer("contact-accept", effect.own), payment: toHex(effect.tokenSecret) });
    else if (effect.type === "send-end")
      this.outbox.push({ message: { kind: "contact-end", since: effect.since }, payment: toHex(effect.tokenSecret) });
    else if (effect.type === "notify") this.shown.push(effect.what);
    else this.rotations++;
  }
  /** Delivers one of the other's messages; the contact lane takes it only for a token that is registered now. */
  receiveFrom(other: Side, choice: number): void {
    if (other.outbox.length === 0) return;
    const [sent] = other.outbox.splice(choice % other.outbox.length, 1) as [Sent];
    if (sent.payment !== undefined && !this.tokens.has(sent.payment)) return;
    this.do({ type: "message", message: sent.message, senderDevice: other.#device, sentAt: sent.message.since });
  }
}

const accounts = [publicKeyOf(new Uint8Array(32).fill(1)), publicKeyOf(new Uint8Array(32).fill(2))] as const;
const twoSides = () => [new Side(accounts[0], accounts[1], 1), new Side(accounts[1], accounts[0], 2)] as const;
const areContacts = (a: Side, b: Side) => {
  expect([a.state.status, b.state.status]).toEqual(["contact", "contact"]);
  expect(contactSecret(a.self, a.state)).toEqual(contactSecret(b.self, b.state));
};
const drain = (a: Side, b: Side, choices: readonly number[]) => {
  for (let i = 0; a.outbox.length + b.outbox.length > 0; i++) {
    const choice = choices[i % choices.length] ?? 0;
    if (choice % 2 === 0 ? a.outbox.length > 0 : b.outbox.length === 0) b.receiveFrom(a, choice >> 1);
    else a.receiveFrom(b, choice >> 1);
  }
};
const choices = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 20 });

describe("becoming contacts", () => {
  test("one adds, the other is asked and accepts", () => {
    const [a, b] = twoSides();
    a.do({ type: "add", half: a.half(), now: 10 });
    expect([a.state.status, b.state.status]).toEqual(["added", "none"]);
    b.receiveFrom(a, 0);
    expect(b.shown).toEqual(["request"]);
    expect(b.outbox).toEqual([]);
    b.do({ type: "accept", half: b.half(), now: 20 });
    a.receiveFrom(b, 0);
    areContacts(a, b);
    expect(a.shown).toEqual(["contact"]);
  });

  test("both add each other, and neither is asked, whatever crosses", () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), choices, (aAt, bAt, order) => {
        const [a, b] = twoSides();
        a.do({ type: "add", half: a.half(), now: aAt });
        b.do({ type: "add", half: b.half(), now: bAt });
        drain(a, b, order);
        areContacts(a, b);
        expect([a.shown, b.shown]).toEqual([["contact"], ["contact"]]);
      }),
    );
  });

  test("whatever happened before and in whatever order the rest arrives, two who now both add end with one secret", () => {
    const action = fc.constantFrom("add", "accept", "ask-again", "decline", "remove", "block", "unblock", "deliver");
    const history = fc.array(fc.tuple(fc.nat(1), action, fc.nat(100), fc.nat(50)), { maxLength: 30 });
    fc.assert(
      fc.property(history, choices, (events, order) => {
        const sides = twoSides();
        const [a, b] = sides;
        for (const [who, type, choice, now] of events) {
          const [me, other] = who === 0 ? [a, b] : [b, a];
          if (type === "deliver") me.receiveFrom(other, choice);
          else if (type !== "accept" || me.state.status === "requested")
            me.do({ type, half: me.half(), now } as ContactEvent);
        }
        for (const side of sides) {
          if (side.state.status === "blocked") side.do({ type: "unblock" });
          side.do({ type: "add", half: side.half(), now: 60 });
        }
        drain(a, b, order);
        areContacts(a, b);
      }),
      { numRuns: 300 },
    );
  });
});

describe("asking again", () => {
  test("moves the request of somebody who waits, whose answer still fits", () => {
    const [a, b] = twoSides();
    a.do({ type: "add", half: a.half(), now: 10 });
    b.receiveFrom(a, 0);
    b.do({ type: "accept", half: b.half(), now: 20 });
    a.do({ type: "ask-again", now: 30 });
    expect(a.outbox.map(({ message }) => message.since)).toEqual([30]);
    drain(a, b, [1, 0]);
    areContacts(a, b);
    expect([a.shown, b.shown]).toEqual([["contact"], ["request", "contact"]]);
  });

  test("brings two contacts together whose locators are both out of date, and changes no secret", () => {
    const [a, b] = twoSides();
    a.do({ type: "add", half: a.half(), now: 10 });
    b.do({ type: "add", half: b.half(), now: 10 });
    drain(a, b, [0]);
    const before = contactSecret(a.self, a.state);
    a.do({ type: "ask-again", now: 50 });
    b.receiveFrom(a, 0);
    expect("locators" in b.state && b.state.locators).toMatchObject([{ since: 50 }]);
    drain(a, b, [0]);
    areContacts(a, b);
    expect(contactSecret(a.self, a.state)).toEqual(before);
    expect([a.shown, b.shown]).toEqual([["contact"], ["contact"]]);
  });

  test("asks nobody who is no contact and was not added", () => {
    const [a] = twoSides();
    a.do({ type: "ask-again", now: 10 });
    a.do({ type: "block" });
    a.do({ type: "ask-again", now: 20 });
    expect(a.outbox).toEqual([]);
  });
});

describe("parting", () => {
  const contacts = () => {
    const [a, b] = twoSides();
    a.do({ type: "add", half: a.half(), now: 10 });
    b.do({ type: "add", half: b.half(), now: 10 });
    drain(a, b, [0, 1]);
    areContacts(a, b);
    return [a, b] as const;
  };

  test("removing revokes the tokens, rotates the locator and tells the other, who waits from then on", () => {
    const [a, b] = contacts();
    a.do({ type: "remove", now: 20 });
    expect(a.state.status).toBe("none");
    expect(a.tokens.size).toBe(0);
    expect(a.rotations).toBe(1);
    b.receiveFrom(a, 0);
    expect(b.state.status).toBe("added");
    expect(b.shown).toEqual(["contact", "ended"]);
  });

  test("blocking does the same, tells nobody, and hears nothing more", () => {
    const [a, b] = contacts();
    a.do({ type: "block" });
    expect([a.tokens.size, a.rotations, a.outbox.length]).toEqual([0, 1, 0]);
    b.do({ type: "remove", now: 20 });
    b.do({ type: "add", half: b.half(), now: 30 });
    while (b.outbox.length > 0) a.receiveFrom(b, 0);
    expect(a.state.status).toBe("blocked");
    expect(a.shown).toEqual(["contact"]);
  });

  test("an old request does not come back once its sender was removed or declined", () => {
    const [a, b] = twoSides();
    a.do({ type: "add", half: a.half(), now: 10 });
    const [request] = a.outbox as [Sent];
    const again = (): ContactEvent => ({
      type: "message",
      message: request.message,
      senderDevice: accounts[0],
      sentAt: 10,
    });
    b.do(again());
    b.do({ type: "decline" });
    expect(stepContact(b.self, b.state, again())).toMatchObject({ refused: "stale", effects: [] });
    a.do({ type: "add", half: a.half(), now: 5 });
    b.receiveFrom(a, 1);
    expect(b.state.status).toBe("requested");
  });

  test("nobody becomes a contact by accepting what was never asked", () => {
    const [, b] = twoSides();
    const message = {
      kind: "contact-accept",
      locatorKey: accounts[0],
      half: new Uint8Array(32),
      since: 1,
      name: "",
    } as const;
    const step = stepContact(b.self, b.state, { type: "message", message, senderDevice: accounts[0], sentAt: 1 });
    expect(step).toEqual({ state: b.state, effects: [], refused: "not-allowed" });
    expect(() => stepContact(b.self, b.state, { type: "accept", half: new Uint8Array(32), now: 1 })).toThrow();
  });

  test("an update moves a contact's device, and an older one does not move it back", () => {
    const [a] = contacts();
    const update = (since: number, locatorKey: Uint8Array): ContactEvent => ({
      type: "message",
      message: { kind: "contact-update", deviceKey: accounts[1], locatorKey, since },
      senderDevice: accounts[1],
      sentAt: since,
    });
    a.do(update(50, accounts[0]));
    a.do(update(40, accounts[1]));
    expect("locators" in a.state && a.state.locators.at(-1)).toMatchObject({ locatorKey: accounts[0], since: 50 });
    for (let device = 0; device < 20; device++) {
      const deviceKey = publicKeyOf(new Uint8Array(32).fill(100 + device));
      const message = { kind: "contact-update", deviceKey, locatorKey: accounts[0], since: 60 + device } as const;
      a.do({ type: "message", message, senderDevice: deviceKey, sentAt: 80 });
    }
    expect("locators" in a.state && a.state.locators.length).toBe(8);
  });
});

describe("what one device says", () => {
  const FIVE_MINUTES = 5 * 60_000;
  const now = Date.UTC(2026, 0, 1);
  const contacts = () => {
    const [a, b] = twoSides();
    a.do({ type: "add", half: a.half(), now });
    b.do({ type: "add", half: b.half(), now });
    drain(a, b, [0, 1]);
    return a;
  };
  const update = (since: number, deviceKey: Uint8Array): ContactEvent => ({
    type: "message",
    message: { kind: "contact-update", deviceKey, locatorKey: accounts[0], since },
    senderDevice: accounts[1],
    sentAt: now + 10,
  });

  test("cannot outlast all that it says later, whatever kind it is", () => {
    const a = contacts();
    const late = now + 10 + FIVE_MINUTES;
    const offer = { locatorKey: accounts[0], half: new Uint8Array(32), name: "" };
    const messages = [
      { kind: "contact-request", ...offer, since: late + 1 },
      { kind: "contact-accept", ...offer, since: late + 1 },
      { kind: "contact-update", deviceKey: accounts[1], locatorKey: accounts[0], since: late + 1 },
      { kind: "contact-end", since: late + 1 },
    ] as const;
    for (const message of messages) {
      const event = { type: "message", message, senderDevice: accounts[1], sentAt: now + 10 } as const;
      expect(stepContact(a.self, a.state, event)).toEqual({ state: a.state, effects: [], refused: "from-future" });
    }
    expect(stepContact(a.self, a.state, update(late, accounts[1])).refused).toBeUndefined();
  });

  test("moves no other device", () => {
    const a = contacts();
    const step = stepContact(a.self, a.state, update(now + 5, accounts[0]));
    expect(step).toEqual({ state: a.state, effects: [], refused: "not-allowed" });
  });

  test("does not wait for a time that a wrong clock once gave", () => {
    const [a] = twoSides();
    a.do({ type: "add", half: a.half(), now: now + 86_400_000 });
    a.do({ type: "ask-again", now });
    a.do({ type: "ask-again", now: now - 60_000 });
    expect(a.outbox.slice(1).map(({ message }) => message.since)).toEqual([now, now + 1]);
  });
});

test("random bytes are no contact state, and never thrown at", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeContactState(bytes)));
});
