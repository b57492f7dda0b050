import { type RelayHost, toHex } from "@earshot/core";
import { expect, it } from "vitest";
import { type KnownOfPath, readPath } from "./call-stats.ts";
import type { RelayOffer } from "./relay-source.ts";

const relay = (n: number): RelayHost => ({ key: new Uint8Array(32).fill(n), operator: `operator ${n}` });
const offer = (n: number, trusted = false): RelayOffer => ({
  ...relay(n),
  ...{ urls: [`turn:192.0.2.${n}?transport=udp`, `turns:relay${n}.example.org:443`], username: "u", credential: "c" },
  ...{ expiresAtMs: 0, trusted },
});
const KNOWN: KnownOfPath = {
  ...{ confirmed: true, missingCandidates: 0, addressHidden: false },
  ...{ ownRelays: [offer(1)], theirRelays: [relay(2)], theirCandidates: [], trustedRelays: [] },
};

type End = readonly [type: string, more?: Record<string, unknown>];
interface Pair {
  readonly ends: readonly [End, End];
  readonly state?: string;
  readonly selected?: true;
}

/** A report with these pairs, as Chromium makes it. */
function report(...pairs: Pair[]): RTCStatsReport {
  const entries = pairs.flatMap(({ ends: [local, remote], state = "succeeded", selected }, i) => {
    const pair = { type: "candidate-pair", id: `p${i}`, localCandidateId: `l${i}`, remoteCandidateId: `r${i}`, state };
    return [
      pair,
      { type: "local-candidate", id: `l${i}`, candidateType: local[0], protocol: "udp", ...local[1] },
      { type: "remote-candidate", id: `r${i}`, candidateType: remote[0], protocol: "udp", ...remote[1] },
      ...(selected ? [{ type: "transport", id: "t", selectedCandidatePairId: `p${i}` }] : []),
    ];
  });
  return new Map(entries.map((entry) => [entry.id, entry])) as unknown as RTCStatsReport;
}

const read = (known: Partial<KnownOfPath>, ...pairs: Pair[]) => readPath(report(...pairs), { ...KNOWN, ...known });

it("a direct path has no relay, whatever both may use", () => {
  expect(read({}, { ends: [["host"], ["srflx"]], selected: true })).toMatchObject({
    ...{ kind: "direct", relay: null, farRelay: null, directShouldHaveWorked: false },
  });
});

it("names the relay, whose side chose it, and whether it is trusted", () => {
  const mine = { operator: "operator 1", key: toHex(relay(1).key), side: "mine", trusted: false };
  const theirs = { operator: "operator 2", key: toHex(relay(2).key), side: "theirs", trusted: false };
  const near = { ends: [["relay"], ["host"]], selected: true } as const;
  const far = { ends: [["host"], ["relay"]], selected: true } as const;
  const both = { ends: [["relay"], ["relay"]], selected: true } as const;
  expect(read({}, near)).toMatchObject({ kind: "relayed", relay: mine, farRelay: null });
  expect(read({}, far)).toMatchObject({ kind: "relayed", relay: theirs, farRelay: null });
  expect(read({}, both)).toMatchObject({ kind: "relayed", relay: mine, farRelay: theirs });
  expect(read({ ownRelays: [offer(1, true)] }, near)?.relay?.trusted).toBe(true);
  expect(read({ trustedRelays: [relay(2).key] }, far)?.relay?.trusted).toBe(true);
});

it("tells which of two relays it is where the platform says, and names both where it does not", () => {
  const ownRelays = [offer(1), offer(3)];
  const over = (url?: string) => read({ ownRelays }, { ends: [["relay", { url }], ["host"]], selected: true })?.relay;
  expect(over("turn:192.0.2.3:3478?transport=udp")?.operator).toBe("operator 3");
  expect(over("turns:relay1.example.org:443?transport=tcp")?.operator).toBe("operator 1");
  const seen = read({ ownRelays }, { ends: [["relay", { address: "192.0.2.3" }], ["host"]], selected: true });
  expect(seen?.relay?.operator).toBe("operator 3"); // it is mostly the address of the server
  expect(over()).toEqual({ operator: "operator 1 or operator 3", key: null, side: "mine", trusted: false });
  const theirRelays = [relay(2), relay(4)];
  const theirs = read({ theirRelays, trustedRelays: [relay(2).key] }, { ends: [["host"], ["relay"]], selected: true });
  const place = {
    foundation: "1",
    transport: "udp",
    priority: 1,
    address: "198.51.100.4",
    port: 4,
    type: "relay",
  } as const;
  const said = { ...place, relatedAddress: null, relatedPort: null, tcpType: null, relay: 1 };
  const known = { theirRelays, theirCandidates: [said] };
  const at = { address: "198.51.100.4", port: 4 };
  expect(read(known, { ends: [["host"], ["relay", at]], selected: true })?.relay?.operator).toBe("operator 4");
  expect(theirs?.relay).toEqual({ operator: "operator 2 or operator 4", key: null, side: "theirs", trusted: false });
});

it("knows a relay of theirs by its candidate where the platform does not", () => {
  const at = { address: "198.51.100.4", port: 4 };
  const place = { ...at, foundation: "1", transport: "udp", priority: 1, type: "relay" } as const;
  const theirCandidates = [{ ...place, relatedAddress: null, relatedPort: null, tcpType: null, relay: 0 }];
  const seen = { ends: [["host"], ["prflx", at]], selected: true } as const;
  expect(read({ theirCandidates }, seen)).toMatchObject({ kind: "relayed", relay: { operator: "operator 2" } });
  expect(read({}, seen)?.kind).toBe("direct");
});

it("says that a direct path goes unused only where one works", () => {
  const relayed = { ends: [["relay"], ["relay"]], selected: true } as const;
  const unused = (...pairs: Pair[]) => read({}, relayed, ...pairs)?.directShouldHaveWorked;
  expect(unused()).toBe(false);
  expect(unused({ ends: [["host"], ["srflx"]] })).toBe(true);
  expect(unused({ ends: [["prflx"], ["host"]] })).toBe(true);
  expect(unused({ ends: [["host"], ["srflx"]], state: "failed" })).toBe(false);
  expect(unused({ ends: [["host"], ["srflx"]], state: "in-progress" })).toBe(false);
  expect(unused({ ends: [["host"], ["relay"]] })).toBe(false);
  // It may be their relay, seen before its candidate came.
  expect(unused({ ends: [["host"], ["prflx"]] })).toBe(false);
  expect(read({ theirRelays: [] }, relayed, { ends: [["host"], ["prflx"]] })?.directShouldHaveWorked).toBe(true);
});
