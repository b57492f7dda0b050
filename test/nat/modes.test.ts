/** The lab's networks are what they are called: seen by single datagrams, before any call is judged by them. */
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NatLab, type Site } from "./lib/lab.ts";
import { leaveOut } from "./lib/namespaces.ts";
import { NAT_MODES, type NatMode } from "./lib/nat-modes.ts";
import { lookFrom, type NetworkSeen, serveProbes } from "./lib/probe.ts";

const restricted = { udp: true, oneMapping: true, unasked: false, tcp443: true, tcpOther: true };
const none = { udp: false, fromOtherPort: false, fromOtherHost: false, unasked: false, tcp443: true };
/** RFC 4787's words for each: mapping (section 4.1) and filtering (section 5). */
const EXPECTED: Record<NatMode, Partial<NetworkSeen>> = {
  open: { ...restricted, unasked: true, fromOtherPort: true, fromOtherHost: true },
  "full-cone": { ...restricted, fromOtherPort: true, fromOtherHost: true },
  "address-restricted": { ...restricted, fromOtherPort: true, fromOtherHost: false },
  "port-restricted": { ...restricted, fromOtherPort: false, fromOtherHost: false },
  symmetric: { ...restricted, oneMapping: false, keepsPort: false, fromOtherPort: false, fromOtherHost: false },
  "udp-blocked": { ...none, tcpOther: true },
  "only-443": { ...none, tcpOther: false },
};

describe.skipIf(leaveOut("the networks of the NAT lab"))("the lab's networks", () => {
  let lab: NatLab;
  const seen = new Map<NatMode, NetworkSeen>();
  const sites = new Map<NatMode, Site>();
  beforeAll(async () => {
    lab = await NatLab.make();
    await serveProbes(lab);
    for (const mode of NAT_MODES) sites.set(mode, await lab.addSite(mode));
    await Promise.all([...sites].map(async ([mode, site]) => seen.set(mode, await lookFrom(site))));
  });
  afterAll(() => lab?.stop());

  it.each(NAT_MODES)("%s lets through what it is called after", (mode) => {
    expect(seen.get(mode)).toMatchObject(EXPECTED[mode]);
    if (seen.get(mode)?.udp) expect(seen.get(mode)?.seenAs).toBe(sites.get(mode)?.publicAddress);
  });

  it("is gone when it is stopped, with all that ran in it", async () => {
    const other = await NatLab.make();
    await serveProbes(other);
    const name = other.publicNamespace;
    other.stop();
    await expect(lab.inPublic(`ip netns pids ${name}`)).rejects.toThrow("No such file");
  });

  it("clears away what a lab left behind whose process was killed", async () => {
    const { pid } = spawnSync("true");
    const left = `earshot-lab-${pid}-1-pub`;
    await lab.inPublic(`ip netns add ${left}`);
    (await NatLab.make()).stop();
    await expect(lab.inPublic(`ip netns pids ${left}`)).rejects.toThrow("No such file");
  });
});
