import fc from "fast-check";
import { expect, it } from "vitest";
import { loadWrtc, wrtcPeerConnection } from "../node/wrtc.ts";
import { iceServersOf } from "./ice-servers.ts";

const urlsOf = (urls: readonly string[]) => iceServersOf(urls).map((server) => server.urls);

it("keeps what tells one's own address, and nothing that carries calls", () => {
  const good = [
    "stun:stun.example.org",
    "stun:192.0.2.1:3478",
    "stun:[2001:db8::1]:3478",
    "stuns:stun.example.org:5349",
  ];
  const bad = ["turn:turn.example.org", "turns:x:443", "stun:", "stun:a:0", "stun:a:99999", "stun:a b", "http://a", ""];
  expect(urlsOf([...bad, ...good])).toEqual(good);
  expect(iceServersOf(Array(8).fill("stun:a"))).toHaveLength(4);
});

it("whatever a supernode says, a peer connection can be made", () => {
  loadWrtc();
  const url = fc.oneof(
    fc.string(),
    fc.string().map((text) => `stun:${text}`),
    fc.webAuthority({ withPort: true }).map((host) => `stun:${host}`),
    fc.constantFrom("turn:turn.example.org", "stun:example.org:0", "stun:[::1]:9", "stun:[zz]", "stun:-:1"),
  );
  fc.assert(
    fc.property(fc.array(url, { maxLength: 8 }), (urls) => {
      wrtcPeerConnection({ iceServers: iceServersOf(urls) }).close();
    }),
    { numRuns: 30 },
  );
});
