import { VirtualClock } from "@earshot/testkit";
import { expect, test } from "vitest";
import { openTerminal } from "./terminal.ts";
import { JOIN_PATIENCE_MS, watchNetwork } from "./watch-network.ts";

function watched(json: boolean) {
  const network = { name: "lab", private: true, at: "joining" as "joining" | "joined", state: () => network.at };
  const clock = new VirtualClock();
  let text = "";
  const stream = { write: (more: string) => ((text += more), true) };
  const stop = watchNetwork(network, clock, openTerminal({ stdout: stream, stderr: stream, env: {} }, json));
  const said = () => {
    const all = text;
    text = "";
    return all;
  };
  return { network, clock, said, stop };
}

test("a network that is found in time is not worth a word", async () => {
  const { network, clock, said } = watched(false);
  await clock.advance(JOIN_PATIENCE_MS - 2_000);
  network.at = "joined";
  await clock.advance(60_000);
  expect(said()).toBe("");
});

test("one that is not found is told once, and so is the day it is found, or lost again", async () => {
  const { network, clock, said, stop } = watched(false);
  await clock.advance(JOIN_PATIENCE_MS + 1_000);
  expect(said()).toMatch(/No node that its file names answers yet.*It goes on trying/);
  await clock.advance(120_000);
  expect(said()).toBe("");
  network.at = "joined";
  await clock.advance(1_000);
  expect(said()).toBe('Joined the private network "lab".\n');
  network.at = "joining";
  await clock.advance(2_000);
  network.at = "joined"; // a moment without anybody is not worth a word
  await clock.advance(60_000);
  expect(said()).toBe("");
  network.at = "joining";
  await clock.advance(JOIN_PATIENCE_MS + 1_000);
  expect(said()).toMatch(/No node/);
  stop();
  network.at = "joined";
  await clock.advance(60_000);
  expect(said()).toBe("");
});

test("scripts get each change", async () => {
  const { network, clock, said } = watched(true);
  await clock.advance(JOIN_PATIENCE_MS + 1_000);
  network.at = "joined";
  await clock.advance(1_000);
  expect(said()).toBe('{"event":"network","state":"joining"}\n{"event":"network","state":"joined"}\n');
});
