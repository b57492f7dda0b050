/** `npm run bench`: runs bench/run.ts, which says what its options are. */
import { root, runNode } from "./lib/run.mjs";
import { ensureModules, ensureNode, ensureWebApp } from "./lib/setup.mjs";

ensureNode();
await ensureModules();
await ensureWebApp();
const [first, ...rest] = ["--conditions=earshot-source", "--import", "tsx", `${root}bench/run.ts`];
process.exitCode = await runNode(first, [...rest, ...process.argv.slice(2)]);
