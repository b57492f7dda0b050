import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { Access } from "./access.ts";

function allows(port: number, host: string): { host: boolean; origin: boolean } {
  const access = new Access({ host: "127.0.0.1", port, token: "token", extraHosts: [], extraOrigins: [] });
  const headers = { host, origin: `http://${host}` };
  const request = { headers, rawHeaders: ["Host", host] } as unknown as IncomingMessage;
  return { host: access.isHostAllowed(request), origin: access.isOriginAllowed(request) };
}

test.each(["127.0.0.1", "localhost", "[::1]"])(
  "on port 80, which browsers leave out, %s alone is this node",
  (host) => {
    expect(allows(80, host)).toEqual({ host: true, origin: true });
    expect(allows(80, `${host}:80`)).toEqual({ host: true, origin: true });
    expect(allows(4_210, host)).toEqual({ host: false, origin: false });
  },
);
