import type { HomeStatus, SupernodeChoice } from "@earshot/sdk";
import { describe, expect, it } from "vitest";
import { ScriptedClient } from "../demo/scripted-client.ts";
import { createChangedNamesModel } from "./changed-names.ts";
import { createHomesModel, homeName } from "./homes.ts";

const choice = (key: string, more: Partial<SupernodeChoice> = {}): SupernodeChoice => ({
  key,
  operator: "",
  kind: "promoted",
  url: "",
  prefix: "",
  trusted: false,
  home: false,
  ...more,
});
const OWN: HomeStatus = { key: "own", url: "", operator: "", kind: "own", trusted: false, state: "connected" };

describe("my homes", () => {
  it("are one's own node where there is no network", () => {
    const client = new ScriptedClient();
    client.atHome([OWN]);
    const model = createHomesModel(client);
    expect(model.alone.value).toBe(true);
    expect(homeName(OWN)).toBe("Your own node");
  });

  it("offer trusted ones first, then the nearest, and follow the client", () => {
    const client = new ScriptedClient();
    client.known = [choice("far", { roundTripMs: 90 }), choice("unknown"), choice("near", { roundTripMs: 9 })];
    const model = createHomesModel(client);
    client.known = [...client.known, choice("friend", { trusted: true, roundTripMs: 200 })];
    client.atHome([{ ...OWN, key: "near", kind: "promoted", state: "lost" }]);
    expect(model.choices.value.map(({ key }) => key)).toEqual(["friend", "near", "far", "unknown"]);
    expect(model.homes.value).toMatchObject([{ key: "near", state: "lost" }]);
    expect(model.alone.value).toBe(false);
  });

  it("are trusted beside those that are trusted already, and no longer on demand", async () => {
    const client = new ScriptedClient();
    client.known = [choice("a", { trusted: true }), choice("b")];
    const model = createHomesModel(client);
    await model.trust("b", true);
    await model.trust("a", false);
    expect(client.done).toEqual(["trust a b", "trust b"]);
    expect(model.message.value).toMatchObject({ bad: false });
  });

  it("say why a move did not work", async () => {
    const client = new ScriptedClient();
    const model = createHomesModel(client);
    client.failNext = "no-other-home";
    await model.move("a");
    expect(model.message.value).toMatchObject({ bad: true, text: expect.stringMatching(/no other supernode/) });
  });

  it("take in a chosen one for the home that is worth the least", async () => {
    const client = new ScriptedClient();
    const home = (key: string, more: Partial<HomeStatus>): HomeStatus => ({ ...OWN, key, kind: "promoted", ...more });
    client.atHome([
      home("trusted", { trusted: true, roundTripMs: 300 }),
      home("far", { roundTripMs: 200 }),
      home("near", { roundTripMs: 10 }),
    ]);
    const model = createHomesModel(client);
    await model.use("chosen");
    client.atHome([home("near", { state: "lost" }), home("far", { roundTripMs: 200 })]);
    await model.use("chosen");
    client.atHome([]);
    await model.use("chosen");
    expect(client.done).toEqual(["move far to chosen", "move near to chosen"]);
    expect(model.message.value).toMatchObject({ bad: true });
  });
});

describe("a name that leads to another key", () => {
  const ANN = { id: "ear1old", name: "Ann", state: "contact", addedAt: 0, address: "ann@example.org" } as const;
  const CHANGED = { ...ANN, nameChangedTo: "ear1new" };
  const changed = () => {
    const client = new ScriptedClient();
    client.emit("contacts", [ANN]);
    client.nameChanged(ANN.id, "ear1new");
    return { client, model: createChangedNamesModel(client) };
  };

  it("stays with the key that is known, on demand", async () => {
    const { client, model } = changed();
    expect(client.contacts()[0]?.nameChangedTo).toBe("ear1new");
    await model.keep(ANN.id);
    expect(client.done).toEqual(["keep the key of ear1old"]);
    expect(client.contacts()[0]?.nameChangedTo).toBeUndefined();
  });

  it("or is added anew, under the same name", async () => {
    const { client, model } = changed();
    expect(await model.addAnew(CHANGED)).toBe("ear1new");
    expect(client.contacts()).toMatchObject([{ id: "ear1new", name: "Ann" }]);
  });

  it("is not added where the domain names yet another key than the person was shown", async () => {
    const { client, model } = changed();
    client.names.set("ann@example.org", "ear1third");
    expect(await model.addAnew(CHANGED)).toBeUndefined();
    expect(model.problem.value).toMatch(/yet another key/);
    expect(client.contacts()).toMatchObject([{ id: "ear1old", nameChangedTo: "ear1third" }]);
    expect(client.done.filter((what) => what.startsWith("remove"))).toEqual([]);
  });

  it("keeps the contact where the domain does not answer", async () => {
    const { client, model } = changed();
    client.failNext = "name-unreachable";
    expect(await model.addAnew(CHANGED)).toBeUndefined();
    expect(model.problem.value).toMatch(/did not work/);
    expect(client.contacts()).toMatchObject([{ id: "ear1old" }]);
  });

  it("says so where that did not work", async () => {
    const { client, model } = changed();
    client.failNext = "offline";
    await model.keep(ANN.id);
    expect(model.problem.value).toMatch(/did not work/);
  });
});
