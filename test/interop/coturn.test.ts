/** coturn's own clients against our relay. Left out where coturn is not installed. */
import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { DEFAULT_TURN_LIMITS, type Relay, startRelay, systemClock } from "@earshot/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const HOST = "127.0.0.1";
const SECRET = "north";
const LIMIT_MS = 25_000;

function isInstalled(): boolean {
  try {
    execFileSync("turnutils_uclient", ["-h"], { stdio: "ignore", timeout: 2_000 });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

const installed = isInstalled();
if (!installed) console.log("left out: coturn's clients, which are not installed (Debian: apt-get install coturn)");

describe.skipIf(!installed)("coturn's client", () => {
  const outcomes: (string | number)[] = [];
  let relay: Relay;
  beforeAll(async () => {
    relay = await startRelay(
      {
        addresses: [{ host: HOST, announced: HOST }],
        port: 0,
        limits: { ...DEFAULT_TURN_LIMITS, requestsPerAddress: { perSecond: 1_000, burst: 1_000 } },
        peers: { privateNetworks: false, loopback: true },
        secret: SECRET,
      },
      {
        clock: systemClock,
        random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
        onRequest: (outcome) => outcomes.push(outcome),
        onPacket: (outcome) => outcomes.push(outcome),
      },
    );
  });
  afterAll(() => relay.close());

  /** Its two ends send each other `messages` messages; what it says at the end. */
  async function uclient(name: string, ...options: string[]): Promise<string> {
    const fixed = ["-p", String(relay.port), "-W", SECRET, "-u", name, "-y", "-n", "10", "-m", "1", HOST];
    const { stdout } = await promisify(execFile)("turnutils_uclient", [...options, ...fixed], { timeout: LIMIT_MS });
    return stdout;
  }

  test.concurrent.each([
    ["over channels", ["ada", "-c"]],
    ["by Send indications", ["ben", "-c", "-s"]],
    ["over TCP", ["cy", "-c", "-t"]],
    ["with pairs of ports for RTP and RTCP", ["dan"]],
    ["with more requests than it needs", ["eve", "-c", "-G"]],
  ])(
    "loses nothing %s",
    async (_how, options) => {
      const [name = "", ...rest] = options;
      const said = await uclient(name, ...rest);
      expect(said).toMatch(/tot_send_msgs=[1-9]\d*/);
      expect(said).toMatch(/Total lost packets 0 \(0\.0+%\)/);
    },
    LIMIT_MS,
  );

  test("turnutils_stunclient is told its address", async () => {
    const { stdout } = await promisify(execFile)("turnutils_stunclient", ["-p", String(relay.port), HOST], {
      timeout: LIMIT_MS,
    });
    expect(stdout).toMatch(/UDP reflexive addr: 127\.0\.0\.1:\d+/);
  });
});
