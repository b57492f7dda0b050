import { describe, expect, it } from "vitest";
import { bytesText, limitsText, limitsWith } from "./lend-limits.ts";

const BEFORE = { maxClients: 200, maxBytesPerSecond: 1e6, maxStoreBytes: 5e8, fromHour: 0, toHour: 24 };

describe("limits as typed", () => {
  it("change what was typed and nothing else", () => {
    expect(limitsWith(BEFORE, {})).toEqual(BEFORE);
    expect(limitsWith(BEFORE, { bandwidth: "2MB", hours: "22-7" })).toEqual({
      ...BEFORE,
      maxBytesPerSecond: 2e6,
      fromHour: 22,
      toHour: 7,
    });
    expect(limitsWith(BEFORE, { clients: "50", storage: "1.5 gb", hours: "always" })).toEqual({
      ...BEFORE,
      maxClients: 50,
      maxStoreBytes: 1.5e9,
    });
    expect(limitsWith(BEFORE, { hours: "24-7" })).toMatchObject({ fromHour: 0, toHour: 7 });
  });

  it.each([
    { clients: "0" },
    { clients: "many" },
    { clients: "1e9" },
    { bandwidth: "2" },
    { bandwidth: "-2MB" },
    { bandwidth: "0.1B" },
    { bandwidth: "1000B" },
    { bandwidth: "11TB" },
    { storage: "900kB" },
    { storage: "1 lot" },
    { hours: "7" },
    { hours: "25-7" },
    { hours: "7-7" },
    { hours: "24-0" },
    { hours: "24-24" },
  ])("are refused where they cannot be meant: %o", (typed) => {
    expect(() => limitsWith(BEFORE, typed)).toThrow(expect.objectContaining({ code: "bad-usage" }));
  });

  it("are told in one line", () => {
    expect(limitsText(BEFORE)).toBe("at most 200 people, 1 MB/s, 500 MB of storage, at any hour");
    expect(limitsText({ ...BEFORE, fromHour: 22, toHour: 7 })).toMatch(/from 22:00 to 7:00$/);
    expect(bytesText(999)).toBe("999 B");
  });
});
