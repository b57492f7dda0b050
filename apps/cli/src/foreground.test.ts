import { expect, test } from "vitest";
import { isForeground } from "./foreground.ts";

const stats = (own: string, parent?: string) => (pid: string) =>
  pid === "self" ? own : pid === "70" ? parent : undefined;

test("a process is in the foreground where its group is its terminal's", () => {
  expect(isForeground(stats("77 (node) S 70 77 70 34816 77 4194560 1"))).toBe(true);
  expect(isForeground(stats("77 (a) b) S 70 77 70 34816 77 4194560 1"))).toBe(true);
  expect(isForeground(stats("77 (node) S 70 77 70 34816 70 4194560 1"))).toBe(false); // earshot start &
});

test("in a session of its own, its parent's place counts", () => {
  const own = "77 (node) S 70 77 77 0 -1 4194560 1";
  expect(isForeground(stats(own, "70 (node) S 60 60 50 34816 60 4194304 1"))).toBe(true);
  expect(isForeground(stats(own, "70 (node) S 60 60 50 34816 50 4194304 1"))).toBe(false); // npm start &
  expect(isForeground(stats(own, "70 (node) T 60 60 50 34816 60 4194304 1"))).toBe(false); // Ctrl-Z
  expect(isForeground(stats(own, "70 (systemd) S 1 70 70 0 -1 4194560 1"))).toBe(false);
  expect(isForeground(stats(own))).toBe(false);
});

test("where the system does not tell, it is not taken for granted", () => {
  expect(isForeground(() => undefined)).toBe(false);
});
