/**
 * A call between two real browsers in two of the hardest networks there are: one lets nothing out but TCP to port 443, the other gives
 * each destination another port. Both people start from nothing, with a node of their own. `npm run bench -- nat` has more.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../e2e/lib/network.ts";
import { type BrowserCall, BrowserPair } from "./lib/browser-pair.ts";
import { NatLab } from "./lib/lab.ts";
import { LabOverlay, RELAY_OPERATOR } from "./lib/lab-overlay.ts";
import { leaveOut } from "./lib/namespaces.ts";
import { loseAt, sentCodec, voicePackets, watchVoice } from "./lib/sent-voice.ts";

/** Long enough for a median over a dozen windows of speech. */
const LISTEN_SECONDS = 6;
/** A machine that is busy stalls a sound card that is none, and the recording with it. */
const LISTENINGS = 3;
const LOST_PERCENT = 20;
/** WebRTC reports what it lacks every 5 s, give or take half of that, and reports are lost too. */
const REACTION_LIMIT_MS = 30_000;

describe.skipIf(leaveOut("a call between browsers in the NAT lab"))("two browsers where no direct path exists", () => {
  let lab: NatLab;
  let overlay: LabOverlay;
  let pair: BrowserPair;
  let call: BrowserCall;
  beforeAll(async () => {
    lab = await NatLab.make();
    overlay = await LabOverlay.start(lab);
    pair = await BrowserPair.meet(overlay, "only-443", "symmetric");
    await watchVoice(lab, pair.callee.site);
    call = await pair.call();
    console.log(`connected after ${call.connectedMs.toFixed(0)} ms`);
  });
  afterAll(async () => {
    await pair?.stop();
    lab?.stop();
    overlay?.remove();
  });

  it("are told that a relay carries their call, whose it is, and who chose it", async () => {
    for (const { kind } of call.ends) expect(kind).toBe("relayed");
    const [caller, callee] = call.ends;
    // What WebRTC says of the same path: the caller has no other way out.
    expect(caller.path.local).toMatchObject({ type: "relay", relayProtocol: "tcp" });
    expect(callee.path.remote).toMatchObject({ type: "relay", address: caller.path.local.address });
    // The callee's end may be relayed as well, and cease to be: ICE goes on looking, and the screens follow within a second.
    const said = (chosenBy: string) => `Relayed by ${RELAY_OPERATOR} (chosen by ${chosenBy}), end-to-end encrypted`;
    await eventually("the screens say so", async () => {
      const [atCaller, atCallee] = await pair.ends();
      const byCaller = atCaller.path.remote.type === "relay" ? "both of you" : "you";
      const byCallee = atCallee.path.local.type === "relay" ? "both of you" : "them";
      return atCaller.headline === said(byCaller) && atCallee.headline === said(byCallee);
    });
  });

  it("hear each other's voice", async () => {
    const heard: number[] = [];
    for (let i = 0; i < LISTENINGS && (heard.at(-1) ?? 0) < 0.8; i++)
      heard.push(Math.min(...(await pair.listen(LISTEN_SECONDS))));
    expect(heard.at(-1), heard.join()).toBeGreaterThan(0.8);
  });

  it("send their voice once where nothing is lost", async () => {
    const { plain, redundant } = await voicePackets(lab, pair.callee.site);
    expect(plain).toBeGreaterThan(LISTEN_SECONDS * 10);
    expect(redundant).toBe(0);
    expect(await sentCodec(pair.callee.page)).toBe("audio/opus");
  });

  it("send it with redundancy once packets are lost", async () => {
    const { page, site } = pair.callee;
    await loseAt(lab, site, LOST_PERCENT);
    await eventually("redundancy", async () => (await sentCodec(page)) === "audio/red", REACTION_LIMIT_MS);
    await eventually("redundant packets", async () => (await voicePackets(lab, site)).redundant > 50);
    const { plain } = await voicePackets(lab, site);
    await eventually("more of them", async () => (await voicePackets(lab, site)).redundant > 100);
    expect((await voicePackets(lab, site)).plain).toBe(plain);
  });

  it("raise no error", () => {
    expect(pair.both.flatMap(({ errors }) => errors)).toEqual([]);
  });
});
