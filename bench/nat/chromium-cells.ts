/** Calls between real browsers in the hardest networks of the NAT lab: each person with a node of their own, and nothing known before. */
import { eventually } from "../../test/e2e/lib/network.ts";
import { type BrowserCall, BrowserPair } from "../../test/nat/lib/browser-pair.ts";
import { NatLab } from "../../test/nat/lib/lab.ts";
import { LabOverlay } from "../../test/nat/lib/lab-overlay.ts";
import type { NatMode } from "../../test/nat/lib/nat-modes.ts";
import { loseAt, sentCodec } from "../../test/nat/lib/sent-voice.ts";
import type { Measurement } from "../measurement.ts";

const CELLS: readonly (readonly [NatMode, NatMode])[] = [
  ["port-restricted", "address-restricted"],
  ["symmetric", "symmetric"],
  ["udp-blocked", "only-443"],
  ["only-443", "symmetric"],
];
const LISTEN_SECONDS = 8;
const LOST_PERCENT = 20;

/** One call for each, in a lab of its own, and how soon the last one is sent with redundancy when packets are lost: two minutes. */
export async function chromiumCells(): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const [from, to] of CELLS)
    rows.push(...(await cell(from, to).catch((error: unknown) => [failed(`${from} to ${to}`, error)])));
  return rows;
}

async function cell(from: NatMode, to: NatMode): Promise<Measurement[]> {
  const lab = await NatLab.make();
  let overlay: LabOverlay | undefined;
  try {
    overlay = await LabOverlay.start(lab);
    const pair = await BrowserPair.meet(overlay, from, to);
    const row = await connected(pair);
    const rows = from === "only-443" ? [row, await redundant(pair, lab)] : [row];
    await pair.stop();
    return rows;
  } finally {
    lab.stop();
    overlay?.remove();
  }
}

function failed(what: string, error: unknown): Measurement {
  return { metric: `two Chromiums, ${what}`, measured: Number.NaN, unit: "", note: messageOf(error) };
}

function messageOf(error: unknown): string {
  return String(error).split("\n")[0] ?? "";
}

async function connected(pair: BrowserPair): Promise<Measurement> {
  const tries: string[] = [];
  const call = await pair.call().catch((error: unknown) => {
    tries.push(`at the second dial, after ${messageOf(error)}; `);
    return pair.callAgain();
  });
  const [atCaller, atCallee] = await pair.listen(LISTEN_SECONDS);
  const { caller, callee } = pair;
  return {
    metric: `two Chromiums, ${caller.site.mode} to ${callee.site.mode}: dial to connected`,
    measured: call.connectedMs,
    unit: "ms",
    note: `${tries.join("")}${wayOf(call)}; voices match by ${atCaller.toFixed(2)} and ${atCallee.toFixed(2)}`,
  };
}

/** As the caller's screen says it, and by what the two ends reach what they send to. */
function wayOf({ ends }: BrowserCall): string {
  const [one, other] = ends.map(({ path: { local } }) => [local.type, local.relayProtocol].filter(Boolean).join(" "));
  return `${ends[0].headline.replace(/, end-to-end.*/, "")} (${one}/${other})`;
}

async function redundant({ callee }: BrowserPair, lab: NatLab): Promise<Measurement> {
  await loseAt(lab, callee.site, LOST_PERCENT);
  const from = performance.now();
  await eventually("redundancy", async () => (await sentCodec(callee.page)) === "audio/red");
  return {
    metric: `two Chromiums, ${LOST_PERCENT} % loss: until the voice is sent with redundancy`,
    measured: performance.now() - from,
    unit: "ms",
    note: "WebRTC reports loss every 5 s, give or take half of that",
  };
}
