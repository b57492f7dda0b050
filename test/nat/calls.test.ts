/** Calls through the lab's networks, a few of them; `npm run bench -- nat` makes all. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Matrix } from "./lib/matrix.ts";
import { leaveOut } from "./lib/namespaces.ts";

describe.skipIf(leaveOut("calls in the NAT lab"))("a call", () => {
  let matrix: Matrix;
  beforeAll(async () => {
    matrix = await Matrix.start(["port-restricted", "symmetric", "only-443"], ["address-restricted", "symmetric"]);
  });
  afterAll(() => matrix?.stop());

  it.each([
    ["port-restricted", "address-restricted"],
    ["symmetric", "address-restricted"],
  ] as const)("is direct from %s to %s, and both are heard", async (from, to) => {
    const { outcome, heardMs } = await matrix.call(from, to);
    expect(outcome).toBe("direct");
    expect(heardMs).toBeGreaterThan(0);
  });

  it("goes over a relay, which both allow, where no direct path exists", async () => {
    const { outcome, heardMs } = await matrix.call("symmetric", "symmetric");
    expect(outcome).toBe("relayed");
    expect(heardMs).toBeGreaterThan(0);
  });

  it("goes over a relay from a network that lets only port 443 through", async () => {
    expect(await matrix.call("only-443", "symmetric")).toMatchObject({ outcome: "relayed" });
  });
});
