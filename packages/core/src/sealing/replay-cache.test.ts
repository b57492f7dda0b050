import {
  ENVELOPE_MAX_AGE_MS,
  REPLAY_MAX_PER_PREKEY,
  REPLAY_MAX_PER_SENDER,
  REPLAY_MAX_PREKEYS,
  ReplayCache,
} from "@earshot/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";

const now = 1_760_000_000_000;
const id = (n: number, length: number) => {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, n);
  return bytes;
};
const message = (n: number, { prekey = 0, sender = 0, sentAt = now } = {}) => ({
  prekeyId: id(prekey, 8),
  senderAccount: id(sender, 32),
  messageId: id(n, 16),
  sentAt,
});
const codeOf = (result: { ok: boolean; code?: string }) => (result.ok ? "accepted" : result.code);

test("an id counts for one sender and one prekey: nobody spoils another's", () => {
  const cache = new ReplayCache();
  expect(codeOf(cache.admit(message(1), now))).toBe("accepted");
  expect(codeOf(cache.admit(message(1), now))).toBe("replayed");
  expect(codeOf(cache.admit(message(1, { sender: 1 }), now))).toBe("accepted");
  expect(codeOf(cache.admit(message(1, { prekey: 1 }), now))).toBe("accepted");
});

test("one sender cannot fill it for the others", () => {
  const cache = new ReplayCache();
  for (let n = 0; n < REPLAY_MAX_PER_SENDER; n++) cache.admit(message(n), now);
  expect(codeOf(cache.admit(message(REPLAY_MAX_PER_SENDER), now))).toBe("rate-limited");
  expect(codeOf(cache.admit(message(0, { sender: 1 }), now))).toBe("accepted");
});

test("full, it refuses what is new and forgets nothing that could be replayed", () => {
  const cache = new ReplayCache();
  for (let n = 0; n < REPLAY_MAX_PER_PREKEY; n++)
    expect(codeOf(cache.admit(message(n, { sender: n % 5, sentAt: now + n }), now))).toBe("accepted");
  expect(codeOf(cache.admit(message(0, { sender: 6 }), now))).toBe("rate-limited");
  expect(codeOf(cache.admit(message(1, { sender: 1, sentAt: now + 1 }), now))).toBe("replayed");
  // Two of them become stale: there is room for two, and the forgotten ones are refused by their age, also if the clock goes back.
  const later = now + ENVELOPE_MAX_AGE_MS + 2;
  for (const n of [0, 1]) expect(codeOf(cache.admit(message(n, { sender: 6, sentAt: later }), later))).toBe("accepted");
  expect(codeOf(cache.admit(message(2, { sender: 6, sentAt: later }), later))).toBe("rate-limited");
  expect(codeOf(cache.admit(message(1, { sender: 1, sentAt: now + 1 }), later))).toBe("stale");
  expect(codeOf(cache.admit(message(1, { sender: 1, sentAt: now + 1 }), now))).toBe("stale");
});

test("prekeys are bounded too, and forgetting one makes room", () => {
  const cache = new ReplayCache();
  for (let prekey = 0; prekey < REPLAY_MAX_PREKEYS; prekey++) cache.admit(message(0, { prekey }), now);
  const next = message(0, { prekey: REPLAY_MAX_PREKEYS });
  expect(codeOf(cache.admit(next, now))).toBe("rate-limited");
  cache.forget(id(0, 8));
  expect(codeOf(cache.admit(next, now))).toBe("accepted");
});

test("whatever was admitted is refused as replayed after a round trip", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ n: fc.nat(50), sender: fc.nat(3), age: fc.nat(10_000) })), (messages) => {
      const [before, after] = [new ReplayCache(), new ReplayCache()];
      for (const { n, sender, age } of messages) before.admit(message(n, { sender, sentAt: now - age }), now);
      const bytes = before.serialize(id(0, 8), now);
      expect(after.restore(id(0, 8), bytes).ok).toBe(true);
      expect(after.serialize(id(0, 8), now)).toEqual(bytes);
      for (const { n, sender, age } of messages)
        expect(codeOf(after.admit(message(n, { sender, sentAt: now - age }), now))).toBe("replayed");
    }),
  );
});

test("random bytes are no memory, and never thrown at", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const cache = new ReplayCache();
      const result = cache.restore(id(0, 8), bytes);
      if (result.ok) cache.admit(message(0), now);
    }),
  );
  expect(codeOf(new ReplayCache().restore(id(0, 8), new Uint8Array(13).fill(2)))).toBe("unknown-version");
});
