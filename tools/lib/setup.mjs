/** What `npm start` and `npm test` set up on a fresh clone. Uses nothing but Node itself. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fail, root, run, runNode } from "./run.mjs";

const MIN_NODE = [20, 19];

/** Ends the process with advice where this Node is too old. */
export function ensureNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return;
  fail(
    `Earshot needs Node ${MIN_NODE.join(".")} or newer; this is ${process.versions.node}. Get one from https://nodejs.org.`,
  );
}

/** The first package whose installed version is not the lock file's, or undefined where all are as locked. */
function firstStale() {
  const hidden = join(root, "node_modules/.package-lock.json");
  if (!existsSync(hidden)) return "node_modules";
  const installed = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const locked = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  for (const [path, entry] of Object.entries(locked)) {
    if (!path.startsWith("node_modules/") || entry.optional || entry.link) continue;
    if (installed[path]?.version !== entry.version || !existsSync(join(root, path))) return path;
  }
  return undefined;
}

/** Installs exactly what package-lock.json says, unless that is what is there. */
export async function ensureModules() {
  if (firstStale() === undefined) return;
  console.log("Setting up: installing packages (npm ci)");
  // npm's own output already says what failed; install scripts are not needed (binaries ship inside the packages).
  const npm = process.env.npm_execpath;
  const args = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
  const code = await (npm?.endsWith(".js") ? runNode(npm, args) : run("npm", args));
  if (code !== 0) {
    fail(
      "npm ci failed (its own words are above). Check the network and the registry (npm config get registry), then try again.",
    );
  }
}

/** Newest modification time under `path`, in ms; 0 where nothing is there. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  let time = 0;
  for (const name of readdirSync(path)) {
    if (name === "node_modules" || name === "dist") continue;
    time = Math.max(time, newest(join(path, name)));
  }
  return time;
}

/** Builds the web app into apps/web/dist, unless what is there is newer than every source of it. */
export async function ensureWebApp() {
  const built = join(root, "apps/web/dist/index.html");
  const sources = ["apps/web", "packages/core/src", "packages/sdk/src", "package-lock.json"];
  if (existsSync(built) && statSync(built).mtimeMs > Math.max(...sources.map((path) => newest(join(root, path)))))
    return;
  console.log("Setting up: building the web app (vite build)");
  const vite = join(root, "node_modules/vite/bin/vite.js");
  const code = await runNode(vite, ["build", "--logLevel", "warn"], { cwd: join(root, "apps/web") });
  if (code !== 0) fail("The web app did not build (see above).");
}

/** What `earshot` is made of, in the order in which one needs the other. */
const PROGRAM = ["packages/core", "packages/node", "packages/sdk", "apps/cli"];

/** Builds the daemon and the command line into their dist folders, for EARSHOT_BUILT=1. False where that failed, which it says. */
export async function buildPrograms() {
  console.log("Setting up: building the programs (tsc)");
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  for (const folder of PROGRAM) {
    const dist = join(root, folder, "dist");
    rmSync(dist, { recursive: true, force: true });
    const emit = ["--noEmit", "false", "--declaration", "false", "--sourceMap", "false"];
    const code = await runNode(tsc, ["-p", folder, ...emit, "--rootDir", join(root, folder, "src"), "--outDir", dist]);
    if (code !== 0) {
      console.error(`${folder} could not be built: the tests run from the sources.`);
      return false;
    }
  }
  return true;
}
