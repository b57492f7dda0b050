import { expect, it } from "vitest";
import { parseNodeAddress, protocolsOf } from "./node-address.ts";

const supernodeKey = new Uint8Array(32).fill(0xab);

it("reads what `earshot start` printed", () => {
  const address = parseNodeAddress({ url: "http://127.0.0.1:4210/#token=t" });
  expect(address).toEqual({
    edgeUrl: "ws://127.0.0.1:4210/edge",
    httpOrigin: "http://127.0.0.1:4210",
    tunnelled: false,
    token: "t",
  });
  expect(protocolsOf(address)).toEqual(["earshot.edge.1", "earshot.token.t"]);
});

it("names the supernode at a tunnel's other end in the path, and where it is found in the query", () => {
  const tunnelTo = { supernodeKey, dht: "192.0.2.1:49737", url: "wss://calls.example/edge?a=b&c" };
  const { edgeUrl, tunnelled } = parseNodeAddress({ url: "http://127.0.0.1:4210/#token=t", tunnelTo });
  expect(tunnelled).toBe(true);
  const url = new URL(edgeUrl);
  expect(url.origin + url.pathname).toBe(`ws://127.0.0.1:4210/tunnel/${"ab".repeat(32)}`);
  expect([...url.searchParams]).toEqual([
    ["dht", tunnelTo.dht],
    ["url", tunnelTo.url],
  ]);
});

it("refuses what is no node's address", () => {
  for (const url of ["", "calls.example", "ftp://calls.example"])
    expect(() => parseNodeAddress({ url })).toThrow(expect.objectContaining({ code: "bad-node-url" }));
});
