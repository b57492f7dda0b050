import { encodeCard, encodeId, publicKeyOf } from "@earshot/core";
import type { Contact } from "@earshot/sdk";
import { beforeEach, describe, expect, it } from "vitest";
import { type ScriptedPlatform, scriptedPlatform } from "../demo/scripted-platform.ts";
import { createHomeModel, type HomeModel } from "./home.ts";

const KEY = publicKeyOf(new Uint8Array(32).fill(7));
const ID = encodeId(KEY);
const CARD = encodeCard({ accountKey: KEY, name: "Grace", homes: [] });
const GRACE: Contact = { id: ID, name: "Grace", state: "contact", addedAt: 0 };

let platform: ScriptedPlatform;
let home: HomeModel;

beforeEach(async () => {
  platform = scriptedPlatform();
  home = await createHomeModel(platform.client, platform);
});

describe("adding a contact", () => {
  it("shows who a card names before it is added, then adds it", async () => {
    home.addContact.setText(`  ${CARD}\n`);
    expect(home.addContact.found.value).toMatchObject({ id: ID, name: "Grace" });
    expect(home.addContact.problem.value).toBeUndefined();
    await home.addContact.submit();
    expect(platform.client.done).toEqual([`add ${CARD}`]);
    expect(home.addContact.text.value).toBe("");
  });

  it("says at once that an id is mistyped, and sends nothing", async () => {
    const swapped = ID.slice(0, 20) + (ID[20] === "q" ? "p" : "q") + ID.slice(21);
    home.addContact.setText(swapped);
    expect(home.addContact.problem.value).toMatch(/typing mistake/);
    expect(await home.addContact.submit()).toBeUndefined();
    expect(platform.client.done).toEqual([]);
  });

  it("does not tell off somebody who is still typing", () => {
    home.addContact.setText("ear1");
    expect(home.addContact.problem.value).toBeUndefined();
  });

  it("refuses a damaged card, the own card, and one that is there already", async () => {
    home.addContact.setText(CARD.slice(0, -3));
    expect(home.addContact.problem.value).toMatch(/changed or cut short|damaged/);
    Object.defineProperty(platform.client, "id", { value: ID });
    home.addContact.setText(`${CARD} `);
    expect(home.addContact.problem.value).toMatch(/your own card/);
    Object.defineProperty(platform.client, "id", { value: "ear1somebodyelse" });
    platform.client.emit("contacts", [GRACE]);
    home.addContact.setText(CARD);
    expect(home.addContact.problem.value).toMatch(/added this contact already/);
  });

  it("keeps the text and says why when the client refuses", async () => {
    platform.client.failNext = "too-many-contacts";
    home.addContact.setText(CARD);
    expect(await home.addContact.submit()).toBeUndefined();
    expect(home.addContact.problem.value).toMatch(/list is full/);
    expect(home.addContact.text.value).toBe(CARD);
  });

  it("cuts a paste that no card is as long as", () => {
    home.addContact.setText("x".repeat(1_000_000));
    expect(home.addContact.text.value.length).toBeLessThanOrEqual(4096);
  });
});

describe("the contact list", () => {
  it("lists those one can call first, and follows renames and removals", async () => {
    platform.client.emit("contacts", [
      { ...GRACE, id: "3", name: "Blocked", state: "blocked" },
      { ...GRACE, id: "2", name: "Aaron", state: "added" },
      { ...GRACE, id: "1", name: "Zoe" },
    ]);
    expect(home.contacts.list.value.map((contact) => contact.name)).toEqual(["Zoe", "Aaron", "Blocked"]);
    home.contacts.select("1");
    await home.contacts.rename("1", " Zoë ");
    expect(home.contacts.selected.value?.name).toBe("Zoë");
    await home.contacts.remove("1");
    expect(home.contacts.selected.value).toBeUndefined();
  });

  it("says so when removing fails", async () => {
    platform.client.emit("contacts", [GRACE]);
    platform.client.failNext = "offline";
    await home.contacts.remove(GRACE.id);
    expect(home.contacts.problem.value).toMatch(/Removing did not work \(offline\)/);
  });
});

describe("requests", () => {
  it("accepts and declines, one at a time", async () => {
    platform.client.emit("requests", [
      { id: "a", name: "A", receivedAt: 0 },
      { id: "b", name: "B", receivedAt: 0 },
    ]);
    await home.requests.accept("a");
    expect(platform.client.contacts()).toMatchObject([{ id: "a", state: "contact" }]);
    await home.requests.decline("b");
    expect(home.requests.list.value).toEqual([]);
    expect(platform.client.done).toEqual(["accept a", "decline b"]);
  });

  it("keeps the request when accepting fails", async () => {
    platform.client.emit("requests", [{ id: "a", name: "A", receivedAt: 0 }]);
    platform.client.failNext = "offline";
    await home.requests.accept("a");
    expect(home.requests.list.value).toHaveLength(1);
    expect(home.requests.problem.value).toMatch(/offline/);
  });
});

describe("notices", () => {
  it("outlive the page until they are dismissed", async () => {
    platform.client.emit("newDevice", { contactId: ID, deviceId: "d" });
    platform.client.emit("brokenAttempt", { contactId: ID, at: 5 });
    const reloaded = await createHomeModel(platform.client, platform);
    expect(reloaded.notices.list.value.map((notice) => notice.kind)).toEqual(["new-device", "broken-attempt"]);
    reloaded.notices.dismissAll();
    expect((await createHomeModel(platform.client, platform)).notices.list.value).toEqual([]);
  });

  it("tell a device list that was started anew from a mere new device", () => {
    platform.client.emit("newDevice", { contactId: ID, deviceId: "d", listRestarted: true });
    expect(home.notices.list.value.map((notice) => notice.kind)).toEqual(["list-restarted"]);
  });

  it("list a missed call once, whoever reports it", () => {
    home.notices.addMissed(ID, "c1");
    platform.client.emit("missed", { contactId: ID, callId: "c1", at: 1 });
    expect(home.notices.list.value).toHaveLength(1);
  });

  it("are bounded, the oldest going first", () => {
    for (let at = 1; at <= 80; at++) platform.client.emit("missed", { contactId: ID, callId: `c${at}`, at });
    expect(home.notices.list.value).toHaveLength(50);
    expect(home.notices.list.value[0]?.at).toBe(80);
  });

  it("survive storage that holds something else", async () => {
    platform.notes.set("notices", [null, { key: 1 }, "x", { key: "k", kind: "virus", contactId: "c", at: 1 }]);
    expect((await createHomeModel(platform.client, platform)).notices.list.value).toEqual([]);
  });
});

describe("the connection", () => {
  it("counts down to the next try, and is silent once online", () => {
    expect(home.connection.banner.value).toBeUndefined();
    platform.client.emit("status", { state: "offline", retryInMs: 3000, problem: "node-unreachable" });
    expect(home.connection.banner.value).toMatch(/nobody can call you.*in 3 s/);
    platform.clock.advance(2000);
    expect(home.connection.banner.value).toMatch(/in 1 s/);
    platform.clock.advance(2000);
    expect(home.connection.banner.value).toMatch(/Next try now/);
    platform.client.emit("status", { state: "online" });
    expect(home.connection.banner.value).toBeUndefined();
    expect(platform.clock.pending).toBe(0);
  });

  it("says what to do when the node refuses", () => {
    platform.client.emit("status", { state: "offline", problem: "node-refused" });
    expect(home.connection.banner.value).toMatch(/Open the address that “npm start” printed/);
  });

  it("says that a clock is wrong for as long as it is, online too", () => {
    platform.client.emit("status", { state: "online", problem: "clock-wrong" });
    expect(home.connection.banner.value).toMatch(/Set this device’s date and time/);
    platform.client.emit("status", { state: "offline", problem: "clock-wrong", retryInMs: 2000 });
    expect(home.connection.banner.value).toMatch(/Set this device’s date and time.*in 2 s/);
    platform.client.emit("status", { state: "online" });
    expect(home.connection.banner.value).toBeUndefined();
  });
});

describe("settings", () => {
  it("shows the phrase on request only, and then stops reminding", async () => {
    expect(home.settings.remindOfPhrase.value).toBe(true);
    expect(platform.client.done).not.toContain("phrase");
    await home.settings.showPhrase();
    expect(home.settings.phrase.value).toHaveLength(24);
    home.open("none");
    expect(home.settings.phrase.value).toBeUndefined();
    expect((await createHomeModel(platform.client, platform)).settings.remindOfPhrase.value).toBe(false);
  });

  it("saves a name that fits, and says why another is not", async () => {
    await home.settings.saveName("x".repeat(49));
    expect(home.settings.message.value).toMatchObject({ bad: true });
    await home.settings.saveName("Ada L");
    expect(home.settings.name.value).toBe("Ada L");
    expect(platform.client.done).toEqual(["name Ada L"]);
  });

  it("saves the backup as a file", async () => {
    await home.settings.downloadBackup();
    expect(platform.log).toContain("save earshot-backup.bin");
  });
});

describe("the own card", () => {
  it("says whether copying worked", async () => {
    await home.myCard.copy();
    expect(home.myCard.copied.value).toBe("done");
    platform.script.clipboard = false;
    await home.myCard.copy();
    expect(home.myCard.copied.value).toBe("refused");
  });
});
