/** A call whose network changes under it; `npm run bench -- nat` measures more of it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leaveOut } from "./lib/namespaces.ts";
import { monotonicNow } from "./lib/person-protocol.ts";
import { Talk } from "./lib/talk.ts";

/** On an idle machine it is about a second. */
const LIMIT_MS = 20_000;
const LISTEN_MS = 1_500;

describe.skipIf(leaveOut("calls that stay in the NAT lab"))("a running call", () => {
  let talk: Talk;
  beforeAll(async () => {
    talk = await Talk.start("port-restricted", "address-restricted");
    await talk.call();
  });
  afterAll(() => talk?.stop());

  it("is heard again at both ends after the caller moved to another network", async () => {
    await talk.lab.move(talk.caller.site, talk.spare);
    expect(await talk.heardAgainAfter(monotonicNow())).toBeLessThan(LIMIT_MS);
  });

  it("goes on without a pause when the home of both is killed", async () => {
    const turns = () => Promise.all(talk.both.map((person) => person.call("it", ({ voice }) => voice.length)));
    const before = await turns();
    await talk.node.kill9();
    await new Promise((resolve) => setTimeout(resolve, LISTEN_MS));
    expect(await turns()).toEqual(before);
  });
});
