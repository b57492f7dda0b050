#!/usr/bin/env node
// Runs the TypeScript sources where they are, through tsx; otherwise, or with EARSHOT_BUILT=1, the program that was built of them, which starts in a third of the time.
import { existsSync } from "node:fs";
import { register } from "node:module";

const source = new URL("../src/main.ts", import.meta.url);
if (process.env.EARSHOT_BUILT === "1" || !existsSync(source)) {
  await import(new URL("../dist/main.js", import.meta.url).href);
} else {
  const tsx = await import("tsx/esm/api");
  tsx.register();
  register("./source-condition.mjs", import.meta.url);
  await import(source.href);
}
