/** Two symmetric NATs leave UDP over IPv4 no direct path. With IPv6 beside it, a firewall on each side, the call needs no relay. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callOnce } from "./lib/cell.ts";
import { giveIpv6 } from "./lib/ipv6.ts";
import { NatLab } from "./lib/lab.ts";
import { LabNode } from "./lib/lab-node.ts";
import { leaveOut } from "./lib/namespaces.ts";
import { befriend, Person } from "./lib/person.ts";

describe.skipIf(leaveOut("a call over IPv6 in the NAT lab"))("with IPv6 at both sides", () => {
  let lab: NatLab;
  let people: Person[] = [];
  let node: LabNode;
  beforeAll(async () => {
    lab = await NatLab.make();
    node = await LabNode.start(lab);
    const sites = [await lab.addSite("symmetric"), await lab.addSite("symmetric")];
    await giveIpv6(lab, sites);
    people = await Promise.all(sites.map((site, i) => Person.start(site, `person ${i}`, node.url)));
  });
  afterAll(async () => {
    await Promise.all(people.map((person) => person.stop()));
    await node?.stop();
    lab?.stop();
  });

  it("a call between symmetric NATs is direct, and both are heard", async () => {
    const [caller, callee] = people as [Person, Person];
    await befriend(caller, callee);
    expect(await callOnce(caller, callee)).toMatchObject({ outcome: "direct", path: "host udp/host" });
  });
});
