/** WebRTC's own TURN client (libwebrtc, as in Chromium) through our relay: relayed at both ends, and nothing else. */
import { createRequire } from "node:module";
import { randomBytes } from "node:crypto";
import { DEFAULT_TURN_LIMITS, issueCredential, startRelay, systemClock } from "@earshot/node";
import { afterEach, expect, test } from "vitest";

const { RTCPeerConnection } = createRequire(import.meta.url)("@roamhq/wrtc") as {
  RTCPeerConnection: typeof globalThis.RTCPeerConnection;
};
const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

test.each(["udp", "tcp"])("two peers that reach the relay over %s reach each other", async (transport) => {
  const packets: string[] = [];
  const relay = await startRelay(
    {
      addresses: [{ host: "127.0.0.1", announced: "127.0.0.1" }],
      port: 0,
      limits: DEFAULT_TURN_LIMITS,
      peers: { privateNetworks: true, loopback: true },
      secret: "north",
    },
    { clock: systemClock, random, onRequest: () => {}, onPacket: (outcome) => packets.push(outcome) },
  );
  ends.push(() => relay.close());
  const peer = () => {
    const { username, password } = issueCredential("north", Date.now() + 60_000, randomBytes(8));
    const urls = `turn:127.0.0.1:${relay.port}?transport=${transport}`;
    const connection = new RTCPeerConnection({
      iceServers: [{ urls, username, credential: password }],
      iceTransportPolicy: "relay",
    });
    ends.push(() => connection.close());
    return connection;
  };
  const [ada, ben] = [peer(), peer()];
  const types: string[] = [];
  for (const [one, other] of [
    [ada, ben],
    [ben, ada],
  ] as const)
    one.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return;
      types.push(candidate.type ?? "");
      void other.addIceCandidate(candidate);
    };
  const channel = ada.createDataChannel("words");
  const heard = new Promise<string>((resolve) => {
    ben.ondatachannel = ({ channel: theirs }) => (theirs.onmessage = ({ data }) => resolve(data as string));
  });
  channel.onopen = () => channel.send("hello");
  await ada.setLocalDescription(await ada.createOffer());
  await ben.setRemoteDescription(ada.localDescription as RTCSessionDescriptionInit);
  await ben.setLocalDescription(await ben.createAnswer());
  await ada.setRemoteDescription(ben.localDescription as RTCSessionDescriptionInit);
  expect(await heard).toBe("hello");
  expect(new Set(types)).toEqual(new Set(["relay"]));
  expect(packets).toContain("to-peer");
});
