import { afterEach, expect, test, vi } from "vitest";
import { userName } from "./session.ts";

afterEach(() => vi.unstubAllEnvs());

test("somebody without an entry among the users has a name as well", () => {
  const missing = (): never => {
    throw new Error("uv_os_get_passwd returned ENOENT (no such file or directory)");
  };
  vi.stubEnv("USER", "ann");
  expect(userName(missing)).toBe("ann");
  vi.stubEnv("USER", "");
  expect(userName(missing)).toBe("me");
});
