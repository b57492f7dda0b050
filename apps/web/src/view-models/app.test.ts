import { EarshotError, encodeCard, publicKeyOf } from "@earshot/core";
import { describe, expect, it } from "vitest";
import { ScriptedCall } from "../demo/scripted-call.ts";
import { scriptedPlatform } from "../demo/scripted-platform.ts";
import { createAppModel } from "./app.ts";

/** Lets the promises that an action started settle. */
const settle = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

/** Echo's card on a node that listens on `port`. */
function echoCardAt(port: number): string {
  const home = {
    url: `ws://127.0.0.1:${port}/edge`,
    supernodeKey: publicKeyOf(new Uint8Array(32).fill(2)),
    hopKey: new Uint8Array(32).fill(9),
    dht: "",
  };
  return encodeCard({ accountKey: publicKeyOf(new Uint8Array(32).fill(1)), name: "Echo", homes: [home] });
}
const ECHO = echoCardAt(4210);

function firstRun(platform = scriptedPlatform()) {
  platform.script.identity = false;
  const app = createAppModel(platform);
  return { platform, app };
}

describe("starting", () => {
  it("says what to do without a token, and tries again on demand", async () => {
    const platform = scriptedPlatform();
    platform.script.obstacle = "token-missing";
    const app = createAppModel(platform);
    await app.start();
    expect(app.screen.value).toEqual({ kind: "blocked", obstacle: "token-missing" });
    platform.script.obstacle = undefined;
    await app.start();
    expect(app.screen.value.kind).toBe("home");
  });

  it("takes the session over from another tab, and gives it up when asked", async () => {
    const platform = scriptedPlatform();
    platform.script.obstacle = "other-tab";
    const app = createAppModel(platform);
    await app.start();
    expect(app.screen.value).toMatchObject({ obstacle: "other-tab" });
    await app.start("ask");
    expect(app.screen.value.kind).toBe("home");
    expect(platform.script.holder?.isInCall()).toBe(false);
    await platform.script.holder?.letGo();
    expect(platform.client.done).toContain("stop");
    expect(app.screen.value).toMatchObject({ kind: "blocked", obstacle: "other-tab" });
  });

  it("tells another tab of a call that letting go would end, from its first ring on", async () => {
    const platform = scriptedPlatform();
    const app = createAppModel(platform);
    await app.start();
    const call = new ScriptedCall(
      { id: "ear1g", name: "Grace", state: "contact", addedAt: 0 },
      { direction: "incoming" },
    );
    platform.client.emit("incoming", call);
    expect(platform.script.holder?.isInCall()).toBe(true);
    call.now({ phase: "ended", endReason: "cancelled" });
    expect(platform.script.holder?.isInCall()).toBe(false);
  });

  it("shows the code of anything unforeseen", async () => {
    const platform = scriptedPlatform();
    platform.script.openFails = new EarshotError("storage-corrupt", "");
    const app = createAppModel(platform);
    await app.start();
    expect(app.screen.value).toEqual({ kind: "failed", code: "storage-corrupt" });
  });

  it("offers a card from the address once the contact list is there", async () => {
    const platform = scriptedPlatform();
    const app = createAppModel(platform);
    app.offerCard("earshot:ear1x");
    await app.start();
    if (app.screen.value.kind !== "home") throw new Error("not home");
    expect(app.screen.value.model.dialog.value).toBe("add-contact");
    expect(app.screen.value.model.addContact.text.value).toBe("earshot:ear1x");
  });
});

describe("Echo", () => {
  it("is there from the first start, and stays away once removed", async () => {
    const platform = scriptedPlatform();
    platform.script.echo = ECHO;
    await createAppModel(platform).start();
    await settle();
    expect(platform.client.contacts()).toMatchObject([{ id: ECHO, name: "Echo" }]);
    await platform.client.removeContact(ECHO);
    for (const card of [ECHO, echoCardAt(4999)]) {
      platform.script.echo = card;
      await createAppModel(platform).start();
      await settle();
      expect(platform.client.contacts()).toEqual([]);
    }
  });

  it("is asked for again while it starts up beside the node", async () => {
    const platform = scriptedPlatform();
    await createAppModel(platform).start();
    await settle();
    expect(platform.client.contacts()).toEqual([]);
    platform.script.echo = ECHO;
    platform.clock.advance(500);
    await settle();
    expect(platform.client.contacts()).toHaveLength(1);
  });

  it("is tried again when adding it failed", async () => {
    const platform = scriptedPlatform();
    platform.script.echo = ECHO;
    const { client } = platform;
    const start = client.start.bind(client);
    client.start = async () => {
      await start();
      client.failNext = "offline";
    };
    await createAppModel(platform).start();
    await settle();
    expect(client.contacts()).toEqual([]);
    platform.clock.advance(500);
    await settle();
    expect(client.contacts()).toHaveLength(1);
  });

  it("is not waited for beyond a minute where the node hosts none", async () => {
    const platform = scriptedPlatform();
    await createAppModel(platform).start();
    for (let tries = 0; tries < 20; tries++) {
      await settle();
      platform.clock.advance(30_000);
    }
    expect(platform.clock.pending).toBe(0);
  });
});

describe("first run", () => {
  it("asks for a name and goes on to the contact list", async () => {
    const { app, platform } = firstRun();
    await app.start();
    if (app.screen.value.kind !== "first-run") throw new Error("no first run");
    const { model } = app.screen.value;
    await model.submit();
    expect(model.problem.value).toMatch(/enter a name/);
    model.setName("  Ada  ");
    expect(model.problem.value).toBeUndefined();
    await model.submit();
    expect(platform.script.openedWith).toEqual({ name: "Ada" });
    expect(app.screen.value.kind).toBe("home");
  });

  it("refuses a name that would not fit a contact request", async () => {
    const { app } = firstRun();
    await app.start();
    if (app.screen.value.kind !== "first-run") throw new Error("no first run");
    const { model } = app.screen.value;
    model.setName("é".repeat(25));
    await model.submit();
    expect(model.problem.value).toMatch(/too long/);
  });

  it("restores from a phrase and a backup, however the words are spaced", async () => {
    const { app, platform } = firstRun();
    await app.start();
    if (app.screen.value.kind !== "first-run") throw new Error("no first run");
    const { model } = app.screen.value;
    model.setRestoring(true);
    model.setPhrase("one two");
    await model.submit();
    expect(model.problem.value).toMatch(/exactly 24 words/);
    model.setPhrase(` ${"Abandon\n ".repeat(23)} art `);
    await model.setBackup({ name: "b.bin", size: 3, read: async () => Uint8Array.of(1, 2, 3) });
    await model.submit();
    expect(platform.script.openedWith).toEqual({
      restore: { phrase: `${"abandon ".repeat(23)}art`, backup: Uint8Array.of(1, 2, 3) },
    });
    expect(model.phrase.value).toBe("");
  });

  it("stays and says why when restoring fails", async () => {
    const { app, platform } = firstRun();
    platform.script.openFails = new EarshotError("phrase-mistyped", "");
    await app.start();
    if (app.screen.value.kind !== "first-run") throw new Error("no first run");
    const { model } = app.screen.value;
    model.setRestoring(true);
    model.setPhrase("abandon ".repeat(24));
    await model.submit();
    expect(model.problem.value).toMatch(/do not belong together/);
    expect(app.screen.value.kind).toBe("first-run");
    expect(model.busy.value).toBe(false);
  });

  it("does not read a file that is too large to be a backup", async () => {
    const { app } = firstRun();
    await app.start();
    if (app.screen.value.kind !== "first-run") throw new Error("no first run");
    const { model } = app.screen.value;
    await model.setBackup({
      name: "film.mp4",
      size: 1 << 30,
      read: () => Promise.reject(new Error("must not be read")),
    });
    expect(model.problem.value).toMatch(/not an Earshot backup/);
  });
});
