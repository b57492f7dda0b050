/** Dependencies are budgeted: each is pinned exactly and has its reason in docs/dependencies.md. */
import { describe, expect, test } from "vitest";
import { filesUnder, readText } from "./sources.ts";

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

const manifests = [
  "package.json",
  ...filesUnder("packages", /^package\.json$/),
  ...filesUnder("apps", /^package\.json$/),
];

const wanted = manifests.flatMap((path) => {
  const manifest = JSON.parse(readText(path)) as Manifest;
  const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  return Object.entries(all).map(([name, version]) => ({ path, name, version }));
});

const thirdParty = [...new Set(wanted.map(({ name }) => name).filter((name) => !name.startsWith("@earshot/")))].sort();

/** Rows of the tables in docs/dependencies.md: name -> reason. */
const reasons = new Map(
  [...readText("docs/dependencies.md").matchAll(/^\|\s*`([^`]+)`\s*\|\s*(.*?)\s*\|\s*$/gm)].map(([, name, reason]) => [
    name ?? "",
    reason ?? "",
  ]),
);

describe("dependencies", () => {
  test("are pinned to one exact version, the same everywhere", () => {
    const loose = wanted.filter(({ version }) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(loose).toEqual([]);
    const versions = new Map<string, Set<string>>();
    for (const { name, version } of wanted) versions.set(name, (versions.get(name) ?? new Set()).add(version));
    expect([...versions].filter(([, found]) => found.size > 1).map(([name]) => name)).toEqual([]);
  });

  test("each have a reason in docs/dependencies.md", () => {
    expect(thirdParty.filter((name) => (reasons.get(name) ?? "").length < 20)).toEqual([]);
  });

  test("that are gone are gone from docs/dependencies.md", () => {
    expect([...reasons.keys()].filter((name) => !thirdParty.includes(name))).toEqual([]);
  });
});
