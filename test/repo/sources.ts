/** The repository's own files, as the rules in this folder look at them. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";

const root = fileURLToPath(new URL("../../", import.meta.url));
const NOT_OURS = new Set(["node_modules", "dist", ".git", "test-results", "coverage", ".earshot"]);

/** Paths of all files under `folder` (from the root, `/` between parts) whose name matches `pattern`. */
export function filesUnder(folder: string, pattern: RegExp): string[] {
  const found: string[] = [];
  const walk = (path: string) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (NOT_OURS.has(entry.name)) continue;
      const child = join(path, entry.name);
      if (entry.isDirectory()) walk(child);
      else if (pattern.test(entry.name)) found.push(relative(root, child).replaceAll("\\", "/"));
    }
  };
  walk(join(root, folder));
  return found.sort();
}

/** Every TypeScript file and every script of the repository. */
export function sourceFiles(): string[] {
  return filesUnder(".", /\.(ts|tsx|mts|mjs)$/);
}

export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** A node of the ESTree that a file parses to: its `type`, its place in the text, and whatever else it has. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** Visits every node of a file, each with its parent. Throws where the file does not parse. */
export function visit(path: string, look: (node: SyntaxNode, parent: SyntaxNode | undefined) => void): void {
  const parsed = parseSync(path, readText(path));
  const error = parsed.errors[0];
  if (error) throw new Error(`${path}: ${error.message}`);
  const walk = (node: SyntaxNode, parent: SyntaxNode | undefined) => {
    look(node, parent);
    for (const value of Object.values(node)) {
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, node);
    }
  };
  walk(parsed.program as unknown as SyntaxNode, undefined);
}

/** Every module that a file names: static and dynamic imports, re-exports. */
export function importsOf(path: string): string[] {
  const names: string[] = [];
  visit(path, (node) => {
    if (!/^(Import|ExportNamed|ExportAll)(Declaration|Expression)$/.test(node.type)) return;
    const source = node.source as { value?: unknown } | null;
    if (typeof source?.value === "string") names.push(source.value);
  });
  return names;
}
