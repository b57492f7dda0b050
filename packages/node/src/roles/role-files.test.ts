import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConsentStore, DEFAULT_CONSENT_LIMITS, parseConsentLimits } from "./consent-store.ts";
import { MAX_PAST_SESSIONS, SessionHistory } from "./session-history.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "earshot-roles-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

test("without a word nothing is lent; a word is kept, and for its person alone", () => {
  expect(new ConsentStore(home).current).toMatchObject({ given: false, askedBefore: false });
  const limits = { ...DEFAULT_CONSENT_LIMITS, maxClients: 7, fromHour: 22, toHour: 6 };
  new ConsentStore(home).set(true, limits, 1_000);
  expect(new ConsentStore(home).current).toEqual({
    given: true,
    askedBefore: true,
    limits,
    givenAt: 1_000,
    askedAt: 0,
  });
  expect(statSync(join(home, "node", "consent.json")).mode & 0o777).toBe(0o600);
  new ConsentStore(home).set(false, limits, 2_000);
  new ConsentStore(home).stepDown(3_000);
  expect(new ConsentStore(home).current).toMatchObject({
    given: false,
    askedBefore: true,
    givenAt: 1_000,
    askedAt: 3_000,
  });
});

test("a yes ends the rest that was asked for, whatever the clock said then", () => {
  const store = new ConsentStore(home);
  store.set(true, DEFAULT_CONSENT_LIMITS, 1_000);
  store.stepDown(9_000);
  store.set(true, DEFAULT_CONSENT_LIMITS, 2_000);
  expect(new ConsentStore(home).current).toMatchObject({ given: true, givenAt: 2_000, askedAt: 0 });
});

test("where nothing can be written, a yes counts for nothing, and a no at once", () => {
  const store = new ConsentStore(home);
  rmSync(home, { recursive: true });
  expect(() => store.set(true, DEFAULT_CONSENT_LIMITS, 1_000)).toThrow();
  expect(store.current.given).toBe(false);
  mkdirSync(join(home, "node"), { recursive: true, mode: 0o700 });
  store.set(true, DEFAULT_CONSENT_LIMITS, 1_000);
  rmSync(home, { recursive: true });
  expect(() => store.stepDown(2_000)).toThrow();
  expect(store.current.askedAt).toBe(2_000);
  expect(() => store.set(false, DEFAULT_CONSENT_LIMITS, 3_000)).toThrow();
  expect(store.current.given).toBe(false);
});

test.each(["", "nonsense", "[]", "null", '{"given":true}', '{"given":true,"limits":{"maxClients":1}}'])(
  "a damaged file is no consent: %s",
  (text) => {
    new ConsentStore(home).set(true, DEFAULT_CONSENT_LIMITS, 1);
    writeFileSync(join(home, "node", "consent.json"), text);
    expect(new ConsentStore(home).current.given).toBe(false);
  },
);

test("limits that make no sense are refused", () => {
  expect(parseConsentLimits(DEFAULT_CONSENT_LIMITS)).toEqual(DEFAULT_CONSENT_LIMITS);
  for (const wrong of [
    { maxClients: 0 },
    { maxClients: 1.5 },
    { maxClients: "20" },
    { maxBytesPerSecond: Number.POSITIVE_INFINITY },
    { maxStoreBytes: 10 },
    { fromHour: 24 },
    { toHour: 25 },
    { fromHour: 7, toHour: 7 },
  ])
    expect(parseConsentLimits({ ...DEFAULT_CONSENT_LIMITS, ...wrong })).toBeUndefined();
  for (const wrong of [null, 3, "x", {}]) expect(parseConsentLimits(wrong)).toBeUndefined();
});

test("sessions are remembered over restarts, bounded, with the rest", () => {
  for (let day = 0; day < MAX_PAST_SESSIONS + 5; day++) {
    const history = new SessionHistory(home, day * 1_000);
    history.save(day * 1_000, day * 1_000 + 400, "203.0.113.9", { demotions: day, holdUntil: 5 });
    // Saving again goes on with the same session.
    history.save(day * 1_000, day * 1_000 + 500, "203.0.113.9", { demotions: day, holdUntil: 5 });
  }
  const { past, rest } = new SessionHistory(home, 1e9);
  expect(past).toHaveLength(MAX_PAST_SESSIONS);
  expect(past.at(-1)).toEqual({ startedAt: 36_000, endedAt: 36_500, address: "203.0.113.9" });
  expect(rest).toEqual({ demotions: 36, holdUntil: 5 });
});

test.each(["", "{}", '{"sessions":[{"startedAt":5,"endedAt":1,"address":""},7,null],"demotions":-1,"holdUntil":"x"}'])(
  "a damaged history is forgotten: %s",
  (text) => {
    new SessionHistory(home, 1);
    writeFileSync(join(home, "node", "history.json"), text, { mode: 0o600 });
    const { past, rest } = new SessionHistory(home, 1e9);
    expect([past, rest]).toEqual([[], { demotions: 0, holdUntil: 0 }]);
  },
);
