/** A call whose network changes: ICE restarts through the call's own signalling, with or without the supernode. */
import { type RunningNode, startNode } from "@earshot/node";
import type { PeerConnectionFactory } from "@earshot/sdk";
import { wrtcPeerConnection } from "@earshot/sdk/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { befriend, cleanUp, makePerson, nextRing, phase, record, share, temporaryFolder, tone } from "./sdk-people.ts";

let node: RunningNode;
beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
});
afterEach(cleanUp);
afterAll(() => node.stop());

/** A person whose network changes when the test says so, and whose peer connections it can look at. */
async function mover(name: string) {
  const peers: RTCPeerConnection[] = [];
  let changed = (): void => {};
  const peerConnection: PeerConnectionFactory = (configuration) => {
    const peer = wrtcPeerConnection(configuration);
    peers.push(peer);
    return peer;
  };
  const onNetworkChange = (listener: () => void) => {
    changed = listener;
  };
  const person = await makePerson(name, node.url, { peerConnection, onNetworkChange });
  /** The ICE user fragments in use: own and the other's. */
  const ufrags = () => {
    const peer = peers.at(-1);
    return [peer?.currentLocalDescription, peer?.currentRemoteDescription].map(
      (description) => /a=ice-ufrag:(\S+)/.exec(description?.sdp ?? "")?.[1],
    );
  };
  return { ...person, ufrags, changeNetwork: () => changed() };
}

describe.each(["caller", "callee"])("the %s's network changes", (side) => {
  it("makes both sides restart ICE, and the voices go on in the same call", async () => {
    const [alice, bob] = [await mover("Alice"), await mover("Bob")];
    await befriend(alice, bob);
    const ring = nextRing(bob);
    const outgoing = await alice.client.call(bob.client.id, { audio: tone(800) });
    const incoming = await ring;
    await incoming.answer({ audio: tone(1200) });
    await Promise.all([phase(outgoing, "active"), phase(incoming, "active")]);
    const [before, words] = [alice.ufrags(), outgoing.words];

    (side === "caller" ? alice : bob).changeNetwork();
    await expect.poll(() => alice.ufrags().every((now, i) => now !== before[i]), { timeout: 10_000 }).toBe(true);
    await expect.poll(() => bob.ufrags(), { timeout: 10_000 }).toEqual(alice.ufrags().toReversed());

    await Promise.all([phase(outgoing, "active"), phase(incoming, "active")]);
    expect(outgoing.words).toEqual(words);
    expect(share(await record(incoming.remoteAudio as MediaStreamTrack, 1.5), 800)).toBeGreaterThan(0.5);
    expect(share(await record(outgoing.remoteAudio as MediaStreamTrack, 1.5), 1200)).toBeGreaterThan(0.5);
    // Candidates of the generation before may still be on their way: late, and nothing worse.
    const codes = [...alice.client.refusals(), ...bob.client.refusals()].map(([code]) => code);
    expect(codes.filter((code) => code !== "stale")).toEqual([]);
  });
});
