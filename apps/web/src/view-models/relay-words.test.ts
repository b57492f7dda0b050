import type { NodeReport } from "@earshot/core";
import { describe, expect, it } from "vitest";
import { DEDICATED, RELAY_LIMITS, RELAYING_TOO, VOLUNTEER } from "../demo/scripted-report.ts";
import { roleMeaning } from "./node-words.ts";
import { createRelayForm } from "./relay-form.ts";
import { relayRows, relayTitle, relayTrouble } from "./relay-words.ts";

const allowed = (state: NonNullable<NodeReport["relayLending"]>["state"]): NodeReport => ({
  ...VOLUNTEER,
  relayLending: { given: true, limits: RELAY_LIMITS, state },
});

describe("what the node says of relaying", () => {
  it("is that it is off, until its owner has turned it on", () => {
    expect(relayTitle(VOLUNTEER)).toBe("Off: nobody else’s calls pass through your connection.");
    expect(relayRows(VOLUNTEER)).toEqual([]);
    expect(relayTrouble(VOLUNTEER)).toBeUndefined();
  });

  it("is how much it may, does and has done, once it is on", () => {
    expect(relayTitle(RELAYING_TOO)).toMatch(/^On: /);
    expect(Object.fromEntries(relayRows(RELAYING_TOO))).toEqual({
      "At most": "60 ends of calls, 1 MB a second",
      Now: "6 ends of calls",
      "So far": "4.8 GB",
      Refused: "31 requests",
      "Reached at": "198.51.100.20, port 3478, by UDP and TCP",
    });
    // Behind a router, as many as that has opened ports for.
    const port = { use: "relayed", protocol: "udp", port: 49_160, mapped: true } as const;
    const portMapping = { ...RELAYING_TOO.portMapping, ports: [port, { ...port, port: 49_161, mapped: false }] };
    expect(relayRows({ ...RELAYING_TOO, portMapping })[0]?.[1]).toMatch(/^1 ends? of calls?,/);
    // A supernode that relays does carry sound, and must not say that it never does.
    expect(roleMeaning(RELAYING_TOO)).toMatch(/only where it relays a call, encrypted/);
    expect(roleMeaning({ ...RELAYING_TOO, relay: null })).toMatch(/never carries sound/);
  });

  it("is why it cannot, where it may: something else for each reason", () => {
    const reasons = (["no-address", "behind-router", "port-taken", "failed"] as const).map((state) => {
      expect(relayTitle(allowed(state))).toBe("Allowed, and not possible now.");
      return relayTrouble(allowed(state));
    });
    expect(new Set(reasons).size).toBe(reasons.length);
    expect(reasons).not.toContain(undefined);
    // Turned off meanwhile: what was in its way is nobody's concern.
    const { relayLending } = allowed("failed");
    expect(
      relayTrouble({ ...VOLUNTEER, relayLending: relayLending && { ...relayLending, given: false } }),
    ).toBeUndefined();
  });

  it("is whose word it goes by where an operator started it", () => {
    expect(relayTitle(DEDICATED)).toMatch(/started as a relay/);
    const other = { urls: ["turn:turn.example:3478"], own: false, allocations: 0, bytes: 0, refused: 0 };
    expect(relayTitle({ ...DEDICATED, relay: other })).toMatch(/Another server/);
    // Of another server nothing is known but its address.
    expect(relayRows({ ...DEDICATED, relay: other })).toEqual([["Reached at", "turn.example, port 3478, by UDP"]]);
    const urls = ["turn:[2001:db8::5]:3478?transport=udp", "turns:turn.example:443?transport=tcp"];
    expect(relayRows({ ...DEDICATED, relay: { ...other, urls } })).toEqual([
      ["Reached at", "[2001:db8::5], port 3478, by UDP; turn.example, port 443, by TLS"],
    ]);
  });
});

describe("the limits of relaying as typed", () => {
  it("are read as they stand, and refused with a sentence where they cannot be meant", () => {
    const form = createRelayForm(RELAY_LIMITS);
    expect(form.read()).toEqual(RELAY_LIMITS);
    form.set("megabytesPerSecond", "0,5");
    expect(form.read()).toEqual({ ...RELAY_LIMITS, maxBytesPerSecond: 500_000 });
    form.set("ends", "401");
    expect(form.read()).toBeUndefined();
    expect(form.problem.value).toBe("Ends of calls: a number from 1 to 400, please.");
    expect(form.wrong.value).toBe("ends");
  });
});
