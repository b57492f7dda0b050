import { describe, expect, it } from "vitest";
import { type ScriptedPlatform, scriptedPlatform } from "../demo/scripted-platform.ts";
import {
  ALONE,
  DEDICATED,
  JOINING,
  LIMITS,
  MEASURING,
  PROMOTED,
  RELAY_LIMITS,
  VOLUNTEER,
} from "../demo/scripted-report.ts";
import { createConsentForm } from "./consent-form.ts";
import { createLendQuestion } from "./lend-question.ts";
import { createNodePageModel } from "./node-page.ts";
import {
  consentText,
  criteriaSummary,
  criterionState,
  gauges,
  networkText,
  roleTitle,
  criteriaInOrder,
  criterionText,
  nodeName,
} from "./node-words.ts";

const settle = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

const reports = ({ log }: ScriptedPlatform) => log.filter((line) => line === "node report").length;

function page(report = VOLUNTEER) {
  const platform = scriptedPlatform();
  platform.script.report = report;
  return { platform, model: createNodePageModel(platform) };
}

describe("the node's page", () => {
  it("asks again while somebody looks, and not while nobody does", async () => {
    const { platform, model } = page();
    await settle();
    expect(model.report.value).toBe(VOLUNTEER);
    platform.clock.advance(3000);
    await settle();
    expect(reports(platform)).toBe(2);
    platform.script.watch?.(false);
    platform.clock.advance(60_000);
    await settle();
    expect(reports(platform)).toBe(2);
    platform.script.watch?.(true);
    await settle();
    expect(reports(platform)).toBe(3);
    model.dispose();
    platform.clock.advance(60_000);
    await settle();
    expect(reports(platform)).toBe(3);
    expect(platform.clock.pending).toBe(0);
  });

  it("keeps what it knows, and says so, while the node does not answer", async () => {
    const { platform, model } = page();
    await settle();
    platform.script.nodeFails = "node-unreachable";
    platform.clock.advance(3000);
    await settle();
    expect(model.report.value).toBe(VOLUNTEER);
    expect(model.problem.value).toMatch(/does not answer/);
    platform.script.nodeFails = undefined;
    platform.clock.advance(3000);
    await settle();
    expect(model.problem.value).toBeUndefined();
  });

  it("tells the node the owner's word, and shows what came of it", async () => {
    const { platform, model } = page(PROMOTED);
    await settle();
    expect(await model.lend(LIMITS)).toBe(true);
    expect(model.report.value?.consent).toEqual({ given: true, askedBefore: true, limits: LIMITS });
    expect(await model.stepDown()).toBe(true);
    expect(model.report.value?.roleState).toBe("draining");
    expect(await model.stopLending()).toBe(true);
    expect(model.report.value?.consent.given).toBe(false);
    expect(model.report.value?.relayLending?.given).toBe(false);
    expect(await model.relay(RELAY_LIMITS)).toBe(true);
    expect(model.report.value).toMatchObject({ relayLending: { given: true, state: "on" }, consent: { given: false } });
    expect(await model.stopRelaying()).toBe(true);
    expect(model.report.value?.relayLending).toMatchObject({ given: false, limits: RELAY_LIMITS });
    platform.script.nodeFails = "token-refused";
    expect(await model.stepDown()).toBe(false);
    expect(model.message.value).toMatchObject({ bad: true, text: expect.stringMatching(/does not know this token/) });
  });
});

describe("the question whether to lend", () => {
  const ask = (report = VOLUNTEER) => {
    const platform = scriptedPlatform();
    platform.script.report = report;
    return { platform, question: createLendQuestion(platform.node, platform.clock) };
  };

  it("comes once the node has joined a network, and not before", async () => {
    const { platform, question } = ask({ ...VOLUNTEER, network: { ...VOLUNTEER.network, state: "joining" } });
    await settle();
    expect(question.proposed.value).toBeUndefined();
    platform.script.report = VOLUNTEER;
    platform.clock.advance(10_000);
    await settle();
    expect(question.proposed.value).toEqual(LIMITS);
  });

  it.each([
    ["answered before", { ...VOLUNTEER, consent: { ...VOLUNTEER.consent, askedBefore: true } }],
    ["lent already", PROMOTED],
    ["dedicated", DEDICATED],
    ["alone", ALONE],
  ])("does not come where it is %s", async (_why, report) => {
    const { platform, question } = ask(report);
    await settle();
    expect(question.proposed.value).toBeUndefined();
    expect(platform.clock.pending).toBe(0);
  });

  it("is answered either way, once", async () => {
    const { platform, question } = ask();
    await settle();
    platform.script.nodeFails = "node-unreachable";
    expect(await question.answer(undefined)).toBe(false);
    expect(question.problem.value).toMatch(/Try again/);
    platform.script.nodeFails = undefined;
    expect(await question.answer(undefined)).toBe(true);
    expect(question.proposed.value).toBeUndefined();
    expect(platform.script.report.consent).toMatchObject({ given: false, askedBefore: true });
  });
});

describe("the limits as typed", () => {
  it("are read as they stand, in people, bytes and hours", () => {
    expect(createConsentForm(LIMITS).read()).toEqual(LIMITS);
    const form = createConsentForm({ ...LIMITS, fromHour: 23, toHour: 6 });
    form.set("megabytesPerSecond", "0,5");
    form.setHours(22, 7);
    expect(form.read()).toEqual({ ...LIMITS, maxBytesPerSecond: 500_000, fromHour: 22, toHour: 7 });
  });

  it("are refused with a sentence where they cannot be meant", () => {
    const form = createConsentForm(LIMITS);
    expect(form.problem.value).toBeUndefined();
    for (const text of ["", "none", "-1", "1e12"]) {
      form.set("megabytes", text);
      expect(form.read()).toBeUndefined();
      expect(form.problem.value).toMatch(/^Storage: a number from 1/);
      expect(form.wrong.value).toBe("megabytes");
    }
    form.set("megabytes", "1");
    form.setAlways(false);
    form.setHours(7, 7);
    expect(form.read()).toBeUndefined();
    expect(form.problem.value).toMatch(/^Hours/);
  });
});

it("says plainly what a node is, and never by colour alone", () => {
  expect(roleTitle(VOLUNTEER)).toBe("This node serves only you");
  expect(roleTitle({ ...PROMOTED, roleState: "draining" })).toMatch(/stepping down/);
  expect(networkText(ALONE)).toMatch(/Not part of a network/);
  expect(networkText(JOINING)).toBe("Joining the open network…");
  expect(networkText({ ...JOINING, neighbours: VOLUNTEER.neighbours })).toMatch(
    /by their URLs alone: UDP may be blocked/,
  );
  expect(consentText(PROMOTED)).toBe(
    "You lend this node: at most 200 people, 1 MB a second and 500 MB of storage, from 22:00 to 7:00.",
  );
  const { criteria } = MEASURING;
  expect(criteriaSummary(criteria)).toBe("9 of 11 are met. 1 not measured yet.");
  expect(criteriaInOrder(criteria).map(criterionState).slice(0, 3)).toEqual(["not-met", "not-measured", "met"]);
  expect(criteriaInOrder(criteria).map(criterionText).slice(0, 3)).toEqual([
    "Not met: up 6 h, 1 earlier",
    "Not measured yet",
    "Met: yes",
  ]);
  expect(nodeName(DEDICATED)).toBe("calls.example");
  expect(nodeName(VOLUNTEER)).toBe("Node 5f5f5f5f…");
  expect(gauges(PROMOTED)[0]).toMatchObject({ name: "clients", text: "61 of 120" });
  expect(gauges(VOLUNTEER).some(({ name }) => name === "clients")).toBe(false);
});
