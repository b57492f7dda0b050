import { acceptedDays, dayOf, deliveryToken, registeredDays, toHex, tokenHash } from "@earshot/core";
import { expect, test } from "vitest";

const secret = new Uint8Array(32).fill(1);
const mailbox = new Uint8Array(16).fill(2);

test("a token differs by secret, mailbox and day, and its hash does not show it", () => {
  const tokens = [
    deliveryToken(secret, mailbox, 20_000),
    deliveryToken(secret, mailbox, 20_001),
    deliveryToken(secret, new Uint8Array(16), 20_000),
    deliveryToken(new Uint8Array(32), mailbox, 20_000),
  ];
  expect(new Set(tokens.map(toHex)).size).toBe(4);
  for (const token of tokens) {
    expect(token.length).toBe(16);
    expect(tokenHash(token).length).toBe(16);
    expect(tokenHash(token)).not.toEqual(token);
  }
});

test("an owner away for a week is still reachable, in any clock's day", () => {
  const now = Date.UTC(2026, 0, 10, 23, 59);
  expect(registeredDays(now)).toHaveLength(9);
  const aWeekLater = now + 7 * 86_400_000;
  expect(registeredDays(now)).toContain(dayOf(aWeekLater));
  expect(acceptedDays(now)[1]).toBe(dayOf(now));
});
