import type { CallPath } from "@earshot/sdk";
import { describe, expect, it } from "vitest";
import { ScriptedClient } from "../demo/scripted-client.ts";
import { scriptedPlatform } from "../demo/scripted-platform.ts";
import { createCallPrivacyModel } from "./call-privacy.ts";
import { createHomeModel } from "./home.ts";
import { pathWords } from "./path-words.ts";

const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

async function open(client = new ScriptedClient()) {
  const model = createCallPrivacyModel(client);
  await settled();
  return { client, model };
}

describe("what calls may do", () => {
  it("stands as it is kept, and is kept as soon as it is chosen", async () => {
    const { client, model } = await open();
    expect(model.settings.value).toEqual({ relayConsent: "any", hideAddress: "never", lowData: false });
    await model.choose({ relayConsent: "trusted" });
    await model.choose({ hideAddress: "everyone" });
    await model.choose({ lowData: true });
    expect(client.settings).toEqual({ relayConsent: "trusted", hideAddress: "everyone", lowData: true });
    expect(model.settings.value).toEqual(client.settings);
  });

  it("says that hiding takes a relay, where none is allowed", async () => {
    const { model } = await open();
    await model.choose({ relayConsent: "never" });
    expect(model.conflict.value).toBeUndefined();
    await model.choose({ hideAddress: "strangers" });
    expect(model.conflict.value).toMatch(/hiding your address takes a relay/);
  });

  it("stays what it was where it could not be kept, and says so", async () => {
    const { client, model } = await open();
    client.failNext = "storage-failed";
    await model.choose({ relayConsent: "never" });
    expect(model.settings.value?.relayConsent).toBe("any");
    expect(model.problem.value).toMatch(/could not be kept/);
    await model.choose({ relayConsent: "never" });
    expect([model.settings.value?.relayConsent, model.problem.value]).toEqual(["never", undefined]);
  });
});

describe("a relayed call", () => {
  const PATH: CallPath = {
    ...{ kind: "relayed", protocol: "udp", localType: "relay", remoteType: "host", confirmed: true },
    ...{ missingCandidates: 0, farRelay: null, addressHidden: false, directShouldHaveWorked: false },
    relay: { operator: "Ann’s shed", key: "5f".repeat(32), side: "mine", trusted: true },
  };
  const theirs = { operator: "", key: null, side: "theirs", trusted: false } as const;

  it("says who runs the relay and who chose it, on both sides", () => {
    expect(pathWords(PATH).headline).toBe("Relayed by Ann’s shed (chosen by you), end-to-end encrypted");
    const far = pathWords({ ...PATH, relay: { ...theirs, operator: "Ann’s shed" }, confirmed: false });
    expect(far.headline).toBe("Relayed by Ann’s shed (chosen by them), not confirmed yet");
    expect(pathWords({ ...PATH, farRelay: theirs }).headline).toBe(
      "Relayed by Ann’s shed (chosen by you) and somebody who gives no name (chosen by them), end-to-end encrypted",
    );
    const same = pathWords({ ...PATH, farRelay: { ...theirs, key: "5f".repeat(32) } });
    expect(same.headline).toBe("Relayed by Ann’s shed (chosen by both of you), end-to-end encrypted");
    expect(same.badge).toBe("Relayed by Ann’s shed");
  });

  it("says whose relay it is, in the details", () => {
    const rows = pathWords({ ...PATH, farRelay: theirs }).details;
    expect(rows).toContainEqual(["Your relay", "yours, a contact's, or one you trust; key 5f5f5f5f5f5f5f5f…"]);
    expect(rows).toContainEqual(["Their relay", "run by neither you nor your contacts"]);
  });

  it("warns where a direct path goes unused, and says where it is the person's own wish", () => {
    expect(pathWords(PATH).warnings).toEqual([]);
    expect(pathWords({ ...PATH, directShouldHaveWorked: true }).warnings).toEqual([
      expect.stringMatching(/A direct path works too/),
    ]);
    expect(pathWords({ ...PATH, addressHidden: true }).explanation).toMatch(
      /^Your address is kept from the other side/,
    );
  });
});

it("a call that needed a relay and did not ring is told as that, over a reload", async () => {
  const platform = scriptedPlatform();
  const first = await createHomeModel(platform.client, platform);
  platform.client.emit("missed", { contactId: "ear1g", callId: "c", at: 1, relayNeeded: true });
  expect(first.notices.list.value).toMatchObject([{ kind: "relay-needed", contactId: "ear1g" }]);
  first.dispose();
  const second = await createHomeModel(platform.client, platform);
  expect(second.notices.list.value).toMatchObject([{ kind: "relay-needed" }]);
  second.dispose();
});
