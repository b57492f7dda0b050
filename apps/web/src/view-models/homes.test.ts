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
    await model.move("a", "b");
    expect(client.done.at(-1)).toBe("move a to b");
  });
});

describe("a name that leads to another key", () => {
  const ANN = { id: "ear1old", name: "Ann", state: "contact", addedAt: 0, address: "ann@example.org" } as const;
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
    expect(await model.addAnew(ANN)).toBeDefined();
    expect(client.done).toEqual(["remove ear1old", "add ann@example.org"]);
    expect(client.contacts()).toMatchObject([{ name: "Ann" }]);
  });

  it("says so where that did not work", async () => {
    const { client, model } = changed();
    client.failNext = "offline";
    await model.keep(ANN.id);
    expect(model.problem.value).toMatch(/did not work/);
  });
});
