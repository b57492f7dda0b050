/**
 * Who may import whom: `web, cli -> sdk -> core <- node`; `cli -> node` for `earshot start`; `testkit -> core`; nothing
 * imports an app; the SDK and the node don't know each other; core stands on noble, scure, an HPKE and a CBOR library.
 */
import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { filesUnder, importsOf, readText, visit } from "./sources.ts";

/** Workspace folder -> Earshot packages that its shipped sources may import. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "packages/core": [],
  "packages/testkit": ["@earshot/core"],
  "packages/sdk": ["@earshot/core"],
  "packages/node": ["@earshot/core"],
  "apps/web": ["@earshot/core", "@earshot/sdk"],
  "apps/cli": ["@earshot/core", "@earshot/sdk", "@earshot/node"],
};

const CORE_LIBRARIES = /^(@noble\/|@scure\/|hpke$)/;

/** What only Node, a browser or a test has: core is handed all of it (`Clock`, `RandomSource`, …). */
const OUTSIDE_GLOBALS = new Set(
  [
    "Buffer process require __dirname window document navigator location localStorage sessionStorage indexedDB",
    "fetch WebSocket XMLHttpRequest RTCPeerConnection setTimeout setInterval setImmediate queueMicrotask",
    "clearTimeout clearInterval performance crypto Worker alert",
  ].flatMap((line) => line.split(" ")),
);

/** Tests, and the cases that several of them share. */
const isTest = (path: string) => /(\.test|-cases)\.tsx?$/.test(path);
const shipped = (folder: string) => filesUnder(folder, /\.(ts|tsx|mjs)$/).filter((path) => !isTest(path));

/** `@earshot/sdk/browser` -> `@earshot/sdk`. */
const packageOf = (name: string) =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");

const ownName = (folder: string) => (JSON.parse(readText(`${folder}/package.json`)) as { name: string }).name;

describe.each(Object.entries(MAY_IMPORT))("%s", (folder, allowed) => {
  const files = filesUnder(folder, /\.(ts|tsx|mjs)$/);

  test("imports only the Earshot packages that it may", () => {
    const wrong = files.flatMap((path) =>
      importsOf(path)
        .filter((name) => name.startsWith("@earshot/") || packageOf(name) === "earshot")
        .filter((name) => !allowed.includes(packageOf(name)))
        .filter((name) => !(isTest(path) && ["@earshot/testkit", ownName(folder)].includes(packageOf(name))))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test("reaches into no other workspace's files", () => {
    const wrong = files.flatMap((path) =>
      importsOf(path)
        .filter((name) => name.startsWith("."))
        .filter((name) => !posix.join(posix.dirname(path), name).startsWith(`${folder}/`))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test("imports only libraries that its package.json names", () => {
    const manifest = JSON.parse(readText(`${folder}/package.json`)) as Record<
      string,
      Record<string, string> | undefined
    >;
    const named = new Set(Object.keys(manifest.dependencies ?? {}));
    // The testkit's compliance suites are written for the test runner.
    if (folder === "packages/testkit") named.add("vitest");
    const wrong = shipped(`${folder}/${folder === "apps/cli" ? "" : "src"}`).flatMap((path) =>
      importsOf(path)
        .filter((name) => !name.startsWith(".") && !name.startsWith("node:"))
        .filter((name) => !named.has(packageOf(name)))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("core", () => {
  test("imports only noble, scure, the HPKE and the CBOR library", () => {
    const wrong = shipped("packages/core").flatMap((path) =>
      importsOf(path)
        .filter((name) => !name.startsWith(".") && !CORE_LIBRARIES.test(name))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test("reaches for no global of Node or of a browser, for no clock and no randomness", () => {
    const wrong: string[] = [];
    for (const path of shipped("packages/core")) {
      visit(path, (node, parent) => {
        if (node.type !== "Identifier") return;
        const isName = parent?.type === "MemberExpression" && parent.property === node && parent.computed !== true;
        const isKey = parent !== undefined && "key" in parent && parent.key === node;
        const isType = parent?.type.startsWith("TS") === true;
        if (!isName && !isKey && !isType && OUTSIDE_GLOBALS.has(node.name as string))
          wrong.push(`${path}: ${node.name}`);
        if (!isName) return;
        const object = parent.object as { name?: unknown };
        const reached = `${String(object.name)}.${node.name as string}`;
        if (reached === "Date.now" || reached === "Math.random") wrong.push(`${path}: ${reached}`);
      });
    }
    expect(wrong).toEqual([]);
  });
});

test("nothing in test, bench, fuzz and tools is imported by a package or an app", () => {
  const wrong = ["packages", "apps"]
    .flatMap((folder) => filesUnder(folder, /\.(ts|tsx|mjs)$/))
    .flatMap((path) =>
      importsOf(path)
        .filter((name) => name.startsWith("."))
        .map((name) => posix.join(posix.dirname(path), name))
        .filter((target) => /^(test|bench|fuzz|tools)\//.test(target))
        .map((target) => `${path} imports ${target}`),
    );
  expect(wrong).toEqual([]);
});
