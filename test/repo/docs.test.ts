/** Links in the docs lead somewhere; refusal codes are described where the protocol is; no path of one machine is left. */
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { REFUSAL_CODES } from "@earshot/core";
import { expect, test } from "vitest";
import { filesUnder, readText, sourceFiles } from "./sources.ts";

const pages = filesUnder(".", /\.md$/);

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  const text = heading.replaceAll(/[`*]/g, "").replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
  return text
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/```[\s\S]*?```/g, "").replaceAll(/`[^`\n]*`/g, "");
}

function brokenLink(page: string, link: string): boolean {
  if (/^[a-z]+:/.test(link)) return false;
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? page : posix.join(posix.dirname(page), path);
  if (!existsSync(join(import.meta.dirname, "../..", target))) return true;
  if (anchor === undefined || !target.endsWith(".md")) return false;
  const headings = [...readText(target).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading ?? ""));
  return !headings.includes(anchor);
}

test("every relative link in the docs leads to something", () => {
  const broken = pages.flatMap((page) =>
    [...withoutCode(readText(page)).matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)]
      .map(([, link]) => link ?? "")
      .filter((link) => brokenLink(page, link))
      .map((link) => `${page}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test("no file holds an absolute path of the machine it was written on", () => {
  const machinePath = new RegExp(String.raw`(^|[\s"'(=\x60])/(work|root|farm|Users|home/[a-z]+)/`, "m");
  const wrong = [...sourceFiles(), ...pages, ...filesUnder(".", /\.(json|css|html|yml|sh)$/)].filter(
    (path) => path !== "package-lock.json" && machinePath.test(readText(path)),
  );
  expect(wrong).toEqual([]);
});

const protocol = filesUnder("docs/protocol", /\.md$/).map(readText).join("\n");

test("every refusal code is described in docs/protocol", () => {
  expect(REFUSAL_CODES.filter((code) => !new RegExp(`\`[^\`\\n]*\\b${code}\\b[^\`\\n]*\``).test(protocol))).toEqual([]);
});

test("every refusal code is used by a package", () => {
  const sources = filesUnder("packages", /\.ts$/)
    .filter((path) => !path.endsWith(".test.ts") && path !== "packages/core/src/errors.ts")
    .filter((path) => path !== "packages/core/src/edge/error-codes.ts")
    .map(readText)
    .join("\n");
  expect(REFUSAL_CODES.filter((code) => !sources.includes(`"${code}"`))).toEqual([]);
});
