/** Calls through an operator's coturn: the credentials that a node issues for it open it, and our clients work through it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leaveOutCoturn } from "./lib/lab-coturn.ts";
import { Matrix } from "./lib/matrix.ts";
import { leaveOut } from "./lib/namespaces.ts";

const leftOut = leaveOut("calls through coturn in the NAT lab") || leaveOutCoturn("calls through it");

describe.skipIf(leftOut)("a call through coturn", () => {
  let matrix: Matrix;
  beforeAll(async () => {
    matrix = await Matrix.start(["symmetric", "only-443"], ["symmetric"], "coturn");
  });
  afterAll(() => matrix?.stop());

  it.each(["symmetric", "only-443"] as const)("is relayed from %s to symmetric, and both are heard", async (from) => {
    const { outcome, heardMs } = await matrix.call(from, "symmetric");
    expect(outcome).toBe("relayed");
    expect(heardMs).toBeGreaterThan(0);
  });
});
