/** The programs of the system that the end-to-end tests use: a real browser, and real speech. */
import { existsSync } from "node:fs";
import { hasCommand, run } from "./run.mjs";

const CHROMIUM_COMMANDS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const INSTALL_LIMIT_MS = 5 * 60_000;

/** What is needed: how to tell that it is there, its Debian package, and what cannot be tested without it. */
const NEEDED = [
  { name: "Chromium", package: "chromium", present: hasChromium, for: "browser and call tests" },
  { name: "espeak-ng", package: "espeak-ng", present: () => hasCommand("espeak-ng"), for: "tests on real speech" },
  { name: "sox", package: "sox", present: () => hasCommand("sox"), for: "tests on real speech" },
];

/**
 * What the NAT lab and its home router are made of (test/nat), which needs root besides, and another TURN server and its client (test/interop). Where they are not, their
 * tests say that they are left out.
 */
const LAB = [
  { name: "ip", package: "iproute2", present: () => hasCommand("ip") },
  { name: "nft", package: "nftables", present: () => hasCommand("nft") },
  { name: "miniupnpd", package: "miniupnpd-nftables", present: () => hasCommand("miniupnpd") },
  { name: "coturn", package: "coturn", present: () => hasCommand("turnutils_uclient") && hasCommand("turnserver") },
];

function hasChromium() {
  const named = process.env.EARSHOT_CHROMIUM;
  if (named) return existsSync(named);
  return CHROMIUM_COMMANDS.some(hasCommand);
}

/** How to run apt-get here without asking anybody, or undefined. */
function aptGet() {
  if (!hasCommand("apt-get")) return undefined;
  return process.getuid?.() === 0 ? ["apt-get"] : undefined;
}

/**
 * Installs what is missing where that may be done without asking (root on Debian or Ubuntu), and says what to install
 * elsewhere. Resolves with the names of what is still missing.
 */
export async function ensureSystemTools() {
  const apt = aptGet();
  let missing = NEEDED.filter((one) => !one.present());
  const lab = apt ? LAB.filter((one) => !one.present()) : [];
  if (missing.length + lab.length === 0) return [];
  if (apt) {
    const options = { limitMs: INSTALL_LIMIT_MS, env: { DEBIAN_FRONTEND: "noninteractive" } };
    await run("apt-get", ["-qq", "update"], options);
    // Apart: what tests can do without must not keep from them what they need.
    for (const wanted of [missing, lab].filter((list) => list.length > 0)) {
      const packages = wanted.map((one) => one.package);
      console.log(`Setting up: apt-get install ${packages.join(" ")}`);
      await run("apt-get", ["-qq", "install", "-y", "--no-install-recommends", ...packages], options);
    }
    missing = NEEDED.filter((one) => !one.present());
  }
  for (const one of missing) {
    console.error(
      `Missing: ${one.name}, without which the ${one.for} cannot run. Install the package \`${one.package}\`.`,
    );
  }
  if (missing.length > 0) {
    console.error(`  Debian, Ubuntu: sudo apt-get install ${missing.map((one) => one.package).join(" ")}`);
    console.error("  A browser elsewhere on the disk: EARSHOT_CHROMIUM=/path/to/chromium npm test");
  }
  return missing.map((one) => one.name);
}
