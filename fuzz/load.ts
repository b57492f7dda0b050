/** Finds the targets: every file in fuzz/targets. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { FuzzTarget } from "./target.ts";

const folder = import.meta.dirname;

async function targetsOf(file: string): Promise<readonly FuzzTarget[]> {
  const module = (await import(pathToFileURL(join(folder, file)).href)) as { targets?: readonly FuzzTarget[] };
  if (!Array.isArray(module.targets)) throw new Error(`fuzz/${file} exports no \`targets\``);
  return module.targets as readonly FuzzTarget[];
}

/** Every target with its file. Throws where two have one name. */
export async function listTargets(): Promise<{ readonly file: string; readonly name: string }[]> {
  const files = readdirSync(join(folder, "targets")).filter((name) => name.endsWith(".ts"));
  const found: { readonly file: string; readonly name: string }[] = [];
  for (const file of files.sort().map((name) => `targets/${name}`))
    for (const { name } of await targetsOf(file)) found.push({ file, name });
  const twice = found.find(({ name }, index) => found.findIndex((other) => other.name === name) !== index);
  if (twice) throw new Error(`two fuzz targets are called ${twice.name}`);
  return found;
}

/** The target called `name` in `file`, a path below fuzz/. */
export async function loadTarget(file: string, name: string): Promise<FuzzTarget> {
  const target = (await targetsOf(file)).find((one) => one.name === name);
  if (!target) throw new Error(`fuzz/${file} has no target ${name}`);
  return target;
}
