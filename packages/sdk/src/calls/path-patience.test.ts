import type { RelayHost } from "@earshot/core";
import { expect, it } from "vitest";
import type { CallPath } from "../api.ts";
import { PathPatience } from "./path-patience.ts";

const RELAY: RelayHost = { key: new Uint8Array(32).fill(2), operator: "operator 2" };
const DIRECT: CallPath = {
  ...{ kind: "direct", relay: null, farRelay: null, addressHidden: false, directShouldHaveWorked: false },
  ...{ protocol: "udp", localType: "host", remoteType: "host", confirmed: true, missingCandidates: 0 },
};
const FOUND: CallPath = { ...DIRECT, remoteType: "prflx", remoteAddress: "198.51.100.4" };
const RELAYED: CallPath = {
  ...{ ...DIRECT, kind: "relayed", remoteType: "relay" },
  relay: { operator: "operator 2", key: null, side: "theirs", trusted: false },
};
const known = { theirRelays: [RELAY] };

it("calls a path direct at once where it is", () => {
  expect(new PathPatience().take(DIRECT, known)).toEqual(DIRECT);
  expect(new PathPatience().take(FOUND, { theirRelays: [] })).toEqual(FOUND);
});

it("does not call direct for a moment what turns out to be the other's relay", () => {
  const patience = new PathPatience();
  expect(patience.take(FOUND, known)).toBeUndefined();
  expect(patience.take(RELAYED, known)).toEqual(RELAYED);
  // Also after another path: that one is told till then.
  const later = new PathPatience();
  expect(later.take(DIRECT, known)).toEqual(DIRECT);
  expect(later.take(FOUND, known)).toEqual(DIRECT);
  expect(later.take(RELAYED, known)).toEqual(RELAYED);
});

it("calls direct what no candidate has named by the next look: a symmetric NAT's address", () => {
  const patience = new PathPatience();
  patience.take(FOUND, known);
  expect(patience.take(FOUND, known)).toEqual(FOUND);
  const other = { ...FOUND, remoteAddress: "198.51.100.5" };
  expect(patience.take(other, known)).toEqual(FOUND);
  expect(patience.take(other, known)).toEqual(other);
});

it("says that a direct path should have worked once it has gone unused for a look", () => {
  const unused = { ...RELAYED, directShouldHaveWorked: true };
  const patience = new PathPatience();
  expect(patience.take(unused, known)?.directShouldHaveWorked).toBe(false);
  expect(patience.take(unused, known)?.directShouldHaveWorked).toBe(true);
  expect(patience.take(RELAYED, known)?.directShouldHaveWorked).toBe(false);
});
