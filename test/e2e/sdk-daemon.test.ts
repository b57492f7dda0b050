/** A call outlives the daemon: kill -9 in the middle, and new calls ring once it is back. */
import { afterEach, expect, it } from "vitest";
import { type Daemon, startDaemon } from "./lib/daemon.ts";
import { befriend, cleanUp, endOf, makePerson, nextRing, phase, record, share, tone, until } from "./sdk-people.ts";

let daemon: Daemon | undefined;
afterEach(async () => {
  await cleanUp();
  await daemon?.stop();
});

it("goes on without the daemon, which new calls need only once it is back", async () => {
  daemon = await startDaemon({ args: ["--no-echo"] });
  const alice = await makePerson("Alice", daemon.url);
  const bob = await makePerson("Bob", daemon.url);
  await befriend(alice, bob);
  const ring = nextRing(bob);
  const outgoing = await alice.client.call(bob.client.id, { audio: tone(700) });
  const incoming = await ring;
  await incoming.answer({ audio: tone(1100) });
  await Promise.all([phase(outgoing, "active"), phase(incoming, "active")]);

  await daemon.kill9();
  await until(alice.client, "status", () => alice.client.status.state === "offline");
  expect(alice.client.status).toMatchObject({ state: "offline", retryInMs: expect.any(Number) });
  await record(incoming.remoteAudio as MediaStreamTrack, 0.5);
  const heard = await record(incoming.remoteAudio as MediaStreamTrack, 1);
  expect(share(heard, 700)).toBeGreaterThan(0.5);
  expect(outgoing.phase).toBe("active");
  // Signalling goes on over the data channel.
  outgoing.setMuted(true);
  await until(incoming, "change", () => !incoming.remoteMedia.audio);
  await incoming.hangUp();
  expect(await endOf(outgoing)).toBe("hung-up");

  await daemon.restart();
  await Promise.all([alice, bob].map(({ client }) => until(client, "status", () => client.status.state === "online")));
  const secondRing = nextRing(alice);
  const second = await bob.client.call(alice.client.id, { audio: tone(500) });
  await (await secondRing).answer({ audio: tone(900) });
  await phase(second, "active");
  await second.hangUp();
});
