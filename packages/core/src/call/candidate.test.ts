import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unwrap } from "../errors.ts";
import { isCandidateAddress, isIpv6 } from "./address.ts";
import { chainHead, chainMark } from "./candidate-chain.ts";
import { candidateText, parseCandidateText } from "./candidate.ts";
import { arbitraryCandidate } from "./testing/message-cases.ts";
import { testBytes, testCandidate } from "./testing/fixture-cases.ts";

test("every candidate survives becoming WebRTC's text and being read again", () => {
  fc.assert(
    fc.property(arbitraryCandidate, (candidate) => {
      expect(unwrap(parseCandidateText(candidateText(candidate, "ufrag")))).toEqual({ ...candidate, relay: null });
    }),
  );
});

test("random text never throws", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseCandidateText(text)));
  fc.assert(fc.property(fc.string(), (text) => void parseCandidateText(`candidate:1 1 udp 1 ${text}`)));
});

// As gathered by Chromium 156 and @roamhq/wrtc 0.10.
test.each([
  "candidate:502693424 1 udp 2113937151 6fffee2f-0a81-4fdb-8d67-81df4307daeb.local 55383 typ host generation 0 ufrag 6GVL network-cost 999",
  "candidate:3077952869 1 udp 2122265343 fd00::2 51590 typ host generation 0 ufrag Zg/R network-id 2",
  "candidate:2398920056 1 tcp 1518214911 192.0.2.2 57923 typ host tcptype passive generation 0 ufrag Zg/R network-id 1",
  "candidate:842163049 1 udp 1677729535 203.0.113.9 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag x/Yz network-cost 999",
])("a browser's candidate is taken, without what tells of its interfaces: %s", (text) => {
  const candidate = unwrap(parseCandidateText(text));
  expect(candidateText(candidate, "abcd")).not.toMatch(/network|generation|Zg|x\/Yz|6GVL/);
});

test.each([
  ["", "nothing"],
  ["candidate:1 2 udp 1 192.0.2.1 9 typ host", "component 2"],
  ["candidate:1 1 sctp 1 192.0.2.1 9 typ host", "another transport"],
  ["candidate:1 1 udp 4294967296 192.0.2.1 9 typ host", "priority beyond 32 bits"],
  ["candidate:1 1 udp 1 example.org 9 typ host", "a name that would be looked up"],
  ["candidate:1 1 udp 1 192.0.2.256 9 typ host", "no address"],
  ["candidate:1 1 udp 1 0.0.0.0 9 typ host", "the unspecified address"],
  ["candidate:1 1 udp 1 224.0.0.251 5353 typ host", "multicast"],
  ["candidate:1 1 udp 1 255.255.255.255 9 typ host", "broadcast"],
  ["candidate:1 1 udp 1 ff02::fb 5353 typ host", "multicast (IPv6)"],
  ["candidate:1 1 udp 1 192.0.2.1 0 typ host", "port 0"],
  ["candidate:1 1 udp 1 192.0.2.1 70000 typ host", "port 70000"],
  ["candidate:1 1 udp 1 192.0.2.1 9 typ host raddr 192.0.2.2", "half a related address"],
  ["candidate:1 1 tcp 1 192.0.2.1 9 typ host", "tcp without its type"],
  ["candidate:1 1 udp 1 192.0.2.1 9 typ host tcptype active", "a tcp type on udp"],
  ["candidate:1 1 udp 1 192.0.2.1 9 typ host x y", "an attribute nobody knows"],
  ["candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=x", "a second line"],
])("refused: %s (%s)", (text) => {
  expect(parseCandidateText(text)).toMatchObject({ ok: false, code: "bad-candidate" });
});

test.each([
  ["::1", true],
  ["::", true],
  ["1:2:3:4:5:6:7:8", true],
  ["1::8", true],
  ["::ffff:192.0.2.1", true],
  ["1:2:3:4:5:6:7", false],
  ["1:2:3:4:5:6:7:8:9", false],
  ["1::2::3", false],
  [":1", false],
  ["12345::", false],
  ["fe80::1%eth0", false],
])("IPv6 %s: %s", (text, valid) => {
  expect(isIpv6(text)).toBe(valid);
});

test("the unspecified IPv6 address is no candidate in any spelling", () => {
  expect(["::", "0::0", "0:0:0:0:0:0:0:0", "::0.0.0.0"].map(isCandidateAddress)).toEqual([false, false, false, false]);
});

describe("the chain", () => {
  const callId = testBytes("call", 16);
  const device = testBytes("device", 32);
  const track = { generation: 0, candidates: [1, 2, 3].map((port) => testCandidate(port)), ended: true };
  const head = chainHead(callId, device, track);

  test("differs for another candidate, order, number, call, sender or generation", () => {
    const [a, b, c] = track.candidates as [
      (typeof track.candidates)[0],
      (typeof track.candidates)[0],
      (typeof track.candidates)[0],
    ];
    const others = [
      chainHead(callId, device, { ...track, candidates: [a, b] }),
      chainHead(callId, device, { ...track, candidates: [b, a, c] as never }),
      chainHead(callId, device, { ...track, candidates: [a, b, testCandidate(4)] as never }),
      chainHead(callId, device, { ...track, generation: 1 }),
      chainHead(testBytes("other", 16), device, track),
      chainHead(callId, testBytes("other", 32), track),
    ];
    for (const other of others) expect(other).not.toEqual(head);
  });

  test("of a part is what it was when only that part was there", () => {
    const part = { ...track, candidates: track.candidates.slice(0, 2), ended: false };
    expect(chainHead(callId, device, track, 2)).toEqual(chainHead(callId, device, part));
    expect(chainMark(callId, device, track)).toEqual({ generation: 0, count: 3, head, ended: true });
    expect(() => chainHead(callId, device, track, 4)).toThrow(RangeError);
  });
});
