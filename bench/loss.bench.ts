/**
 * What is heard of a voice on a bad link: two SDK clients of this process (`@roamhq/wrtc`), the packets between them dropped
 * at random, delayed by 30 ms and by up to 20 ms more. Share concealed by WebRTC's own count, intelligibility by STOI.
 */
import { startNode } from "@earshot/node";
import { type Heard, LossyCall, type Understood } from "../test/e2e/lib/lossy-call.ts";
import { cleanUp, temporaryFolder } from "../test/e2e/sdk-people.ts";
import { type Measurement, median } from "./measurement.ts";

export const name = "loss";

const LOSSES = [0, 0.05, 0.1, 0.2];
const LISTEN_SECONDS = 20;
/** Each loss is measured so often, on calls of their own: a stall of the machine is a gap as well. */
const ROUNDS = 3;

const KINDS = [
  { kind: "as calls are", redundancy: true },
  { kind: "FEC alone", redundancy: false },
];

/** Takes about ten minutes. */
export async function run(): Promise<Measurement[]> {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  const node = await startNode({ home: temporaryFolder(), limits, runFile: false });
  const rows: Measurement[] = [];
  try {
    for (const { kind, redundancy } of KINDS) {
      const rounds: Reading[][] = [];
      for (let round = 0; round < ROUNDS; round++) rounds.push(await oneCall(node.url, round + 1, redundancy));
      LOSSES.forEach((loss, i) =>
        rows.push(
          ...rowsOf(
            `${loss * 100} % lost, ${kind}`,
            rounds.map((each) => each[i]),
          ),
        ),
      );
    }
    return rows;
  } finally {
    await node.stop();
  }
}

type Reading = Heard & Pick<Understood, "typical"> & { readonly stoi: number };

async function oneCall(nodeUrl: string, seed: number, redundancy: boolean): Promise<Reading[]> {
  const call = await LossyCall.open(nodeUrl, { seed, redundancy });
  const heard: Heard[] = [];
  try {
    for (const loss of LOSSES) heard.push(await call.listen(loss, LISTEN_SECONDS));
  } finally {
    await cleanUp();
    call.close();
  }
  return heard.map((each) => {
    const { all, typical } = each.understood();
    return { ...each, stoi: all, typical };
  });
}

function rowsOf(what: string, rounds: readonly (Reading | undefined)[]): Measurement[] {
  const of = (key: "lost" | "concealed" | "kbps" | "stoi" | "typical") =>
    median(rounds.map((heard) => heard?.[key] ?? Number.NaN));
  return [
    {
      metric: `${what}: concealed`,
      measured: of("concealed") * 100,
      unit: "%",
      note: `${(of("lost") * 100).toFixed(1)} % of packets lost, ${of("kbps").toFixed(0)} kbit/s of payload`,
    },
    {
      metric: `${what}: STOI`,
      measured: Math.round(of("stoi") * 1_000) / 1_000,
      unit: "",
      target: "0.9 at 20 %",
      note: `middle one of stretches of 2.5 s: ${of("typical").toFixed(3)}`,
    },
  ];
}
