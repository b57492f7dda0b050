/** A file over 400 lines or a function over 70 is a sign that two rooms share one door. */
import { expect, test } from "vitest";
import { readText, sourceFiles, visit, type SyntaxNode } from "./sources.ts";

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 70;

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

/** The callback of `describe(…)` groups tests: it is a file's chapter, not a function. */
function isChapter(parent: SyntaxNode | undefined): boolean {
  if (parent?.type !== "CallExpression") return false;
  let callee = parent.callee as SyntaxNode;
  while (callee.type === "MemberExpression" || callee.type === "CallExpression") {
    callee = (callee.object ?? callee.callee) as SyntaxNode;
  }
  return callee.name === "describe";
}

test(`no file has more than ${MAX_FILE_LINES} lines`, () => {
  const long = sourceFiles()
    .map((path) => ({ path, lines: readText(path).split("\n").length - 1 }))
    .filter(({ lines }) => lines > MAX_FILE_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
  expect(long).toEqual([]);
});

test(`no function has more than ${MAX_FUNCTION_LINES} lines`, () => {
  const long: string[] = [];
  for (const path of sourceFiles()) {
    const text = readText(path);
    visit(path, (node, parent) => {
      if (!FUNCTIONS.has(node.type) || isChapter(parent)) return;
      const lines = text.slice(node.start, node.end).split("\n").length;
      const line = text.slice(0, node.start).split("\n").length;
      if (lines > MAX_FUNCTION_LINES) long.push(`${path}:${line}: ${lines} lines`);
    });
  }
  expect(long).toEqual([]);
});

test("source files are named in kebab-case", () => {
  const odd = sourceFiles().filter(
    (path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/.test(path.split("/").at(-1) ?? ""),
  );
  expect(odd).toEqual([]);
});
