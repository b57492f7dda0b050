import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const RUN = fileURLToPath(new URL("../../.ci/run", import.meta.url));

test("in CI nothing is skipped silently, unless that is asked for", () => {
  const folder = mkdtempSync(join(tmpdir(), "earshot-ci-"));
  try {
    writeFileSync(join(folder, "npm"), '#!/bin/sh\necho "$1 with CI=$CI"\n', { mode: 0o755 });
    const withCi = (CI: string): string =>
      execFileSync(RUN, { env: { PATH: `${folder}:${process.env["PATH"] ?? ""}`, CI }, encoding: "utf8" }).trim();
    expect(withCi("")).toBe("test with CI=1");
    expect(withCi("0")).toBe("test with CI=0");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
