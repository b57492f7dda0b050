/**
 * Completes package-lock.json after `npm install`: an npm that could not see another platform's prebuilt binary (a
 * registry mirror that lacks it) leaves its entry out, and `npm ci` then refuses the whole lock file. Adds those entries
 * by name and version; npm fills in the rest on the platform that needs it. Run: `node tools/lockfile.mjs [--check]`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const lockPath = fileURLToPath(new URL("../package-lock.json", import.meta.url));
const OS = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const CPU = ["arm64", "x64", "ia32", "ppc64", "riscv64", "s390x", "arm"];

/** What a prebuilt binary's package name says about where it runs: `…-linux-arm64-musl`. */
function platformOf(name) {
  const parts = name.split(/[/-]/);
  const os = OS.find((one) => parts.includes(one));
  const cpu = CPU.find((one) => parts.includes(one));
  if (os === undefined || cpu === undefined) return undefined;
  const abi = parts.at(-1);
  const libc =
    os !== "linux" ? undefined : abi.startsWith("musl") ? ["musl"] : abi.startsWith("gnu") ? ["glibc"] : undefined;
  return { os: [os], cpu: [cpu], ...(libc && { libc }) };
}

function missingEntries(packages) {
  const missing = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (packages[`node_modules/${name}`] ?? packages[`${path}/node_modules/${name}`]) continue;
      missing.push({ name, version, dev: entry.dev === true });
    }
  }
  return missing;
}

const lock = JSON.parse(readFileSync(lockPath, "utf8"));
const missing = missingEntries(lock.packages);
if (process.argv.includes("--check")) {
  for (const { name, version } of missing) console.error(`package-lock.json has no entry for ${name}@${version}`);
  if (missing.length > 0) console.error("run: node tools/lockfile.mjs");
  process.exit(missing.length > 0 ? 1 : 0);
}
for (const { name, version, dev } of missing) {
  const platform = platformOf(name);
  if (!/^\d+\.\d+\.\d+$/.test(version) || platform === undefined) throw new Error(`cannot complete ${name}@${version}`);
  lock.packages[`node_modules/${name}`] = { version, ...(dev && { dev }), optional: true, ...platform };
}
const [root, ...rest] = Object.entries(lock.packages);
rest.sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries([root, ...rest]);
writeFileSync(lockPath, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${missing.length} entries added`);
