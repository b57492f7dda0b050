import { VirtualClock } from "@earshot/testkit";
import { expect, it } from "vitest";
import { RestartSignalling } from "./restart-signalling.ts";

it("has the homes looked after every second while any call is without its path, and not a second longer", async () => {
  const clock = new VirtualClock();
  let urged = 0;
  const signalling = new RestartSignalling(clock, { canSend: () => true, urge: () => void urged++ });
  signalling.note("a", "active");
  expect(urged).toBe(0);
  signalling.note("a", "reconnecting");
  signalling.note("b", "reconnecting");
  expect(urged).toBe(1);
  await clock.advance(3_000);
  expect(urged).toBe(4);
  signalling.note("a", "active");
  await clock.advance(1_000);
  expect(urged).toBe(5);
  signalling.note("b", "ended");
  await clock.advance(5_000);
  expect(urged).toBe(5);
  expect(clock.pending).toBe(0);
});
