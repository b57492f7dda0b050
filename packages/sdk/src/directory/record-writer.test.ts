import type { EdgeRequest, MutableRecord, Place, Result } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { beforeEach, expect, it } from "vitest";
import { LATE_HOME_MS, RecordWriter, type Stored } from "./record-writer.ts";
import { singleScout } from "./scouts.ts";

const OK = { ok: true, value: { type: "ok" } };

let clock: VirtualClock;
let copiesPut: number;
/** What homes do with the bundle, by the first byte of their key. */
let homes: (() => Promise<unknown>)[];
beforeEach(() => {
  clock = new VirtualClock();
  copiesPut = 0;
});

const after = (ms: number, answer: unknown) => () =>
  new Promise((resolve) => void clock.setTimer(ms, () => resolve(answer)));
const never = () => new Promise(() => {});

function put(): Promise<Result<Stored>> {
  const request = async (asked: EdgeRequest) => {
    if (asked.type === "put-record") copiesPut++;
    const home = asked.type === "put-bundle" ? homes[asked.at?.supernodeKey[0] ?? -1] : undefined;
    return (home ? await home() : OK) as never;
  };
  const writer = new RecordWriter({ clock, scouts: singleScout({ request }) });
  const key = (i: number) => new Uint8Array(32).fill(i);
  const places = homes.map((_, i): Place => {
    return { home: { url: "", dht: "", supernodeKey: key(i), hopKey: key(i) }, mailboxId: new Uint8Array(16) };
  });
  const record: MutableRecord = { publicKey: key(9), seq: 1, signature: new Uint8Array(64), value: new Uint8Array(9) };
  return writer.put({ copies: [record, record, record, record], bundle: new Uint8Array(8), places });
}

it("does not wait for a home that is dead before others can find this one", async () => {
  homes = [never, after(20, OK)];
  const stored = put();
  await clock.advance(20 + LATE_HOME_MS - 1);
  expect(copiesPut).toBe(0);
  await clock.advance(1);
  expect(copiesPut).toBe(4);
  expect(await stored).toMatchObject({ value: { complete: false } });
});

it("waits no longer than for all of them", async () => {
  homes = [after(20, OK), after(30, OK)];
  const stored = put();
  await clock.advance(30);
  expect(await stored).toMatchObject({ value: { complete: true } });
});

it("names no bundle that nobody holds", async () => {
  homes = [after(20, { ok: false, code: "over-quota" }), () => Promise.reject(new Error("gone"))];
  const refused = put();
  await clock.advance(20);
  expect(await refused).toMatchObject({ code: "over-quota" });
  homes = [() => Promise.reject(new Error("gone"))];
  await expect(put()).rejects.toThrow("gone");
  expect(copiesPut).toBe(0);
});
