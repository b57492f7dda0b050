/** `npm run fuzz`: runs fuzz/run.ts, which says what its options are. */
import { root, runNode } from "./lib/run.mjs";
import { ensureModules, ensureNode } from "./lib/setup.mjs";

ensureNode();
await ensureModules();
const [first, ...rest] = ["--conditions=earshot-source", "--import", "tsx", `${root}fuzz/run.ts`];
process.exitCode = await runNode(first, [...rest, ...process.argv.slice(2)]);
