/** `npm start`: sets up what is missing, then runs a node (`earshot start`) with the arguments given after `--`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fail, root, runNode } from "./lib/run.mjs";
import { ensureModules, ensureNode, ensureWebApp } from "./lib/setup.mjs";

ensureNode();
await ensureModules();
await ensureWebApp();
const earshot = join(root, "apps/cli/bin/earshot.mjs");
if (!existsSync(earshot)) fail("apps/cli/bin/earshot.mjs is missing: is this a whole clone?");
process.exitCode = await runNode(earshot, ["start", ...process.argv.slice(2)], { stdin: "inherit", tied: true });
