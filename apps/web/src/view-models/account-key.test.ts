import { beforeEach, expect, it } from "vitest";
import { ScriptedClient } from "../demo/scripted-client.ts";
import { type AccountKeyModel, createAccountKeyModel } from "./account-key.ts";

let client: ScriptedClient;
let model: AccountKeyModel;
beforeEach(() => {
  client = new ScriptedClient();
  model = createAccountKeyModel(client);
});

it("takes the key offline by the words, and keeps none of them", async () => {
  expect([model.keyHere.value, model.banner.value]).toEqual([true, undefined]);
  model.setPhrase("some words");
  expect(await model.sign(false)).toBe(true);
  expect([model.keyHere.value, model.phrase.value, client.done]).toEqual([false, "", ["provide the key"]]);
});

it("says why words are not taken, and leaves them to be corrected", async () => {
  model.setPhrase("some words");
  client.failNext = "wrong-account";
  expect(await model.sign(true)).toBe(false);
  expect(model.problem.value).toMatch(/another account/);
  expect(model.phrase.value).toBe("some words");
  model.leave();
  expect([model.phrase.value, model.problem.value]).toEqual(["", undefined]);
});

it("asks for the words while there is time", () => {
  client.emit("account", { keyHere: false, signedUntil: 86_400_000, keyNeeded: "records-end" });
  expect(model.banner.value).toMatch(/needed soon.*settings/);
  client.emit("account", { keyHere: false, signedUntil: 86_400_000 });
  expect(model.banner.value).toBeUndefined();
});
