import { afterEach, expect, test, vi } from "vitest";
import { nodeTarget } from "./node-target.ts";

const note = (port: number) => (port === 7400 ? { url: "http://127.0.0.1:7400", token: "secret", pid: 1 } : undefined);

test("the local node is used, with the token from its owner's note", () => {
  expect(nodeTarget(undefined, note)).toEqual({ url: "http://127.0.0.1:7400", token: "secret" });
  expect(nodeTarget("http://localhost:7400", note)).toEqual({ url: "http://localhost:7400", token: "secret" });
  expect(nodeTarget("http://127.0.0.1:7401", note)).toEqual({ url: "http://127.0.0.1:7401" });
});

afterEach(() => vi.unstubAllEnvs());

test("the environment names the node where the command line does not", () => {
  const url = "http://127.0.0.1:7400/#token=other";
  vi.stubEnv("EARSHOT_NODE", url);
  expect(nodeTarget(undefined, note)).toEqual({ url });
  expect(nodeTarget("http://127.0.0.1:7401", note)).toEqual({ url: "http://127.0.0.1:7401" });
  vi.stubEnv("EARSHOT_NODE", "here");
  expect(() => nodeTarget(undefined, note)).toThrow(/^EARSHOT_NODE takes an address/);
  vi.stubEnv("EARSHOT_NODE", "");
  expect(nodeTarget(undefined, note)).toEqual({ url: "http://127.0.0.1:7400", token: "secret" });
});

test("this machine's token is never shown to another", () => {
  expect(nodeTarget("https://node.example:7400", note)).toEqual({ url: "https://node.example:7400" });
  expect(nodeTarget("http://127.0.0.1.example.com:7400", note)).toEqual({ url: "http://127.0.0.1.example.com:7400" });
});

test("a token in the address wins", () => {
  const url = "http://127.0.0.1:7400/#token=other";
  expect(nodeTarget(url, note)).toEqual({ url });
});

test("what is no address is refused", () => {
  for (const text of ["7400", "ftp://x", "127.0.0.1:7400", ""])
    expect(() => nodeTarget(text, note)).toThrow(expect.objectContaining({ code: "bad-usage" }));
});
