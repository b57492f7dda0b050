import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unwrap } from "../errors.ts";
import type { CallSetup } from "./call-types.ts";
import { sdpOfSetup } from "./sdp-build.ts";
import { credentialsOfSdp, setupOfSdp } from "./sdp-parse.ts";
import { checkAnswering, checkSetup, decodeSetup, encodeSetup } from "./setup.ts";
import { arbitrarySetup } from "./testing/message-cases.ts";
import { testSetup } from "./testing/fixture-cases.ts";

const caller = testSetup("caller", "a", {
  audio: [
    { name: "opus", payloadType: 111 },
    { name: "red", payloadType: 63 },
  ],
  video: [
    { name: "vp8", payloadType: 96, rtxPayloadType: 97 },
    { name: "h264", payloadType: 108, rtxPayloadType: null },
  ],
});

const codeOf = (result: { ok: boolean; code?: string }) => (result.ok ? "ok" : result.code);

test("every set-up comes back as it was sent, with the bytes it came in", () => {
  fc.assert(
    fc.property(fc.constantFrom("caller" as const, "callee" as const).chain(arbitrarySetup), (setup) => {
      const { bytes } = encodeSetup(setup);
      expect(unwrap(decodeSetup(bytes))).toEqual({ bytes, setup });
    }),
  );
});

test("every set-up survives becoming an SDP and being read again", () => {
  fc.assert(
    fc.property(fc.constantFrom("caller" as const, "callee" as const).chain(arbitrarySetup), (setup) => {
      const read = unwrap(setupOfSdp(sdpOfSetup(setup), setup.role, setup.policy));
      const byNumber = (a: { number: number }, b: { number: number }) => a.number - b.number;
      expect({ ...read, extensions: [...read.extensions].sort(byNumber) }).toEqual({
        ...setup,
        extensions: [...setup.extensions].sort(byNumber),
      });
    }),
  );
});

test("how the own voice is sent changes the order of the codecs and the format of Opus, and nothing else", () => {
  const linesOf = (on: boolean) => sdpOfSetup(caller, 0, { redundant: on, lean: on, sparse: on }).split("\r\n");
  expect(linesOf(false)).toContain("m=audio 9 UDP/TLS/RTP/SAVPF 111 63");
  expect(linesOf(false)).toContain("a=fmtp:111 minptime=10;useinbandfec=1");
  expect(linesOf(true)).toContain("m=audio 9 UDP/TLS/RTP/SAVPF 63 111");
  expect(linesOf(true)).toContain("a=fmtp:111 minptime=10;useinbandfec=1;maxaveragebitrate=16000;usedtx=1");
  const rest = (lines: readonly string[]) => lines.filter((line) => !/^m=audio|fmtp:111/.test(line)).sort();
  expect(rest(linesOf(true))).toEqual(rest(linesOf(false)));
  // Whatever the other side would rather be sent.
  const redFirst = { ...caller, audio: [...caller.audio].reverse() };
  expect(sdpOfSetup(redFirst)).toContain("m=audio 9 UDP/TLS/RTP/SAVPF 111 63");
});

test("random bytes and random SDP lines never throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeSetup(bytes)));
  const lines = sdpOfSetup(caller).split("\r\n");
  fc.assert(
    fc.property(fc.nat(lines.length - 1), fc.string(), (at, text) => {
      setupOfSdp(lines.with(at, text).join("\r\n"), "caller", caller.policy);
    }),
  );
});

test.each<[string, Partial<CallSetup>]>([
  ["a short fingerprint", { fingerprint: new Uint8Array(31) }],
  ["a ufrag with other characters", { ufrag: "ab\ncd" }],
  ["a short pwd", { pwd: "0".repeat(21) }],
  ["a payload type in RTCP's range", { audio: [{ name: "opus", payloadType: 72 }] }],
  ["a payload type used twice", { audio: [{ name: "opus", payloadType: 96 }] }],
  ["no opus", { audio: [{ name: "red", payloadType: 63 }] }],
  ["no VP8", { video: [{ name: "vp9", payloadType: 98, rtxPayloadType: null }] }],
  ["no mid extension", { extensions: [{ name: "transport-cc", number: 3 }] }],
  ["extension 15", { extensions: [{ name: "mid", number: 15 }] }],
])("%s is refused", (_, change) => {
  expect(codeOf(checkSetup({ ...caller, ...change }))).toBe("bad-setup");
  expect(() => encodeSetup({ ...caller, ...change })).toThrow();
});

test("an answer may only choose among what was offered, under the same numbers", () => {
  const callee = { ...caller, role: "callee" } as const;
  expect(checkAnswering(caller, callee).ok).toBe(true);
  expect(checkAnswering(caller, { ...callee, audio: [{ name: "opus", payloadType: 111 }] }).ok).toBe(true);
  expect(codeOf(checkAnswering(caller, { ...callee, audio: [{ name: "opus", payloadType: 110 }] }))).toBe("bad-setup");
  expect(codeOf(checkAnswering(caller, { ...callee, extensions: [{ name: "mid", number: 9 }] }))).toBe("bad-setup");
  const rtx = { name: "h264", payloadType: 108, rtxPayloadType: 109 } as const;
  expect(codeOf(checkAnswering(caller, { ...callee, video: [...callee.video.slice(0, 1), rtx] }))).toBe("bad-setup");
  expect(codeOf(checkAnswering(callee, caller))).toBe("bad-setup");
});

describe("an SDP that means something else is refused", () => {
  const good = sdpOfSetup(caller);
  const read = (sdp: string) => codeOf(setupOfSdp(sdp, "caller", caller.policy));
  const fingerprint = /a=fingerprint:sha-256 (..):/;
  test.each<[string, (sdp: string) => string]>([
    ["another fingerprint in one section", (sdp) => sdp.replace(fingerprint, "a=fingerprint:sha-256 00:")],
    ["a second fingerprint", (sdp) => sdp.replace(/(a=fingerprint:.*\r\n)/, "$1$1")],
    ["a SHA-1 fingerprint", (sdp) => sdp.replaceAll("sha-256", "sha-1")],
    ["a fingerprint for the session", (sdp) => sdp.replace("t=0 0\r\n", `t=0 0\r\n${/a=fingerprint.*\r\n/.exec(sdp)}`)],
    ["another DTLS role", (sdp) => sdp.replace("a=setup:actpass", "a=setup:passive")],
    ["other credentials in one section", (sdp) => sdp.replace("a=ice-ufrag:", "a=ice-ufrag:x")],
    ["no bundle", (sdp) => sdp.replace("a=group:BUNDLE 0 1 2\r\n", "")],
    ["a smaller bundle", (sdp) => sdp.replace("BUNDLE 0 1 2", "BUNDLE 0 1")],
    ["no rtcp-mux", (sdp) => sdp.replace("a=rtcp-mux\r\n", "")],
    ["a one-way section", (sdp) => sdp.replace("a=sendrecv", "a=recvonly")],
    ["a rejected section", (sdp) => sdp.replace("m=video 9", "m=video 0")],
    ["a fourth section", (sdp) => `${sdp}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n`],
    ["two sections", (sdp) => sdp.slice(0, sdp.indexOf("m=application"))],
    ["sections in another order", (sdp) => sdp.replace("m=audio", "m=text")],
    [
      "keys in the SDP",
      (sdp) => sdp.replace("a=rtcp-mux", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\na=rtcp-mux"),
    ],
    ["an ICE-lite peer", (sdp) => sdp.replace("t=0 0", "t=0 0\r\na=ice-lite")],
    ["unencrypted RTP", (sdp) => sdp.replace("m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/AVP")],
    ["simulcast", (sdp) => sdp.replace("a=rtcp-mux", "a=simulcast:send 1;2\r\na=rtcp-mux")],
    ["an extension with a direction", (sdp) => sdp.replace("a=extmap:4 ", "a=extmap:4/sendonly ")],
    ["an extension under two numbers", (sdp) => sdp.replace("a=extmap:4 ", "a=extmap:5 ")],
    ["no line end at the end", (sdp) => sdp.slice(0, -2)],
  ])("%s", (_, change) => {
    expect(read(good)).toBe("ok");
    expect(change(good)).not.toBe(good);
    expect(read(change(good))).toBe("bad-sdp");
  });

  test("a caller's SDP is not a callee's", () => {
    expect(codeOf(setupOfSdp(good, "callee", caller.policy))).toBe("bad-sdp");
  });
});

test("codecs and extensions that version 1 does not know are left out, not carried", () => {
  const sdp = sdpOfSetup(caller)
    .replace("SAVPF 111 63", "SAVPF 111 63 0 13")
    .replace("a=rtpmap:111", "a=rtpmap:0 PCMU/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:111")
    .replace("a=extmap:4 ", "a=extmap:14 urn:3gpp:video-orientation\r\na=extmap:4 ");
  expect(unwrap(setupOfSdp(sdp, "caller", caller.policy))).toEqual(caller);
});

test("a restart's credentials are read from the new description", () => {
  const restarted = { ...caller, ufrag: "newufrag", pwd: "1".repeat(24) };
  expect(unwrap(credentialsOfSdp(sdpOfSetup(restarted, 1), "caller"))).toEqual({
    ufrag: "newufrag",
    pwd: "1".repeat(24),
  });
});
