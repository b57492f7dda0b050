#!/usr/bin/env node
// Runs the built program where there is one, and otherwise the TypeScript sources, through tsx.
import { existsSync } from "node:fs";
import { register } from "node:module";

const built = new URL("../dist/main.js", import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else {
  const tsx = await import("tsx/esm/api");
  tsx.register();
  register("./source-condition.mjs", import.meta.url);
  await import(new URL("../src/main.ts", import.meta.url).href);
}
