import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { readRunFile } from "../home/run-file.ts";
import { openSocket, TestClient } from "../testing/test-client.ts";
import { startTestNode, type TestNode } from "../testing/test-node.ts";

let node: TestNode;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "earshot-app-"));
  const app = join(folder, "app");
  mkdirSync(join(app, "assets"), { recursive: true });
  writeFileSync(join(app, "index.html"), "<!doctype html><p>app");
  writeFileSync(join(app, "assets", "main-1a2b.js"), "export {};");
  writeFileSync(join(app, ".env"), "secret");
  writeFileSync(join(folder, "outside.txt"), "secret");
  symlinkSync(join(folder, "outside.txt"), join(app, "link.txt"));
  process.env["XDG_RUNTIME_DIR"] = folder;
  node = await startTestNode({ appDir: app, runFile: true, info: () => ({ echo: "card" }) });
});
afterAll(async () => {
  await node.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** By node:http, which sends paths and headers as they are given. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { method = "GET", headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: "127.0.0.1", port: node.port, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
const withToken = () => ({ authorization: `Bearer ${node.token}` });

describe("the app", () => {
  test("is served with a policy that lets nothing foreign in, and is not cached", async () => {
    const page = await ask("/");
    expect(page).toMatchObject({ status: 200, body: "<!doctype html><p>app" });
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.headers["cache-control"]).toBe("no-store");
    expect(page.headers["x-content-type-options"]).toBe("nosniff");
    const policy = String(page.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(page.headers["access-control-allow-origin"]).toBeUndefined();
  });

  test("its hashed files may be kept", async () => {
    const script = await ask("/assets/main-1a2b.js");
    expect(script.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(script.headers["cache-control"]).toContain("immutable");
  });

  test.each([
    "/../outside.txt",
    "/%2e%2e/outside.txt",
    "/assets/..%2f..%2foutside.txt",
    "/..\\outside.txt",
    "/link.txt",
    "/.env",
    "/assets",
    "/%00",
    "/%zz",
    "/nothing.js",
  ])("does not give %s away", async (path) => {
    expect((await ask(path)).status).toBe(404);
  });

  test("says what to do where it is not built", async () => {
    const bare = await startTestNode();
    const page = await fetch(`http://127.0.0.1:${bare.port}/`);
    expect(page.status).toBe(503);
    expect(await page.text()).toContain("npm start");
    await bare.stop();
  });
});

describe("other pages and other local users", () => {
  test.each(["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example"])(
    "host %s is refused",
    async (host) => {
      expect((await ask("/", { headers: { host } })).status).toBe(421);
      const upgrade = new WebSocket(node.edgeUrl, ["earshot.edge.1", `earshot.token.${node.token}`], {
        headers: { host },
      });
      expect(await outcome(upgrade)).toBe(421);
    },
  );

  test.each(["http://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])(
    "origin %s is refused",
    async (origin) => {
      expect((await ask("/api/info", { headers: { origin, ...withToken() } })).status).toBe(403);
      const upgrade = new WebSocket(node.edgeUrl, ["earshot.edge.1", `earshot.token.${node.token}`], { origin });
      expect(await outcome(upgrade)).toBe(403);
    },
  );

  test("localhost and the address itself are this node", async () => {
    for (const host of [`localhost:${node.port}`, `127.0.0.1:${node.port}`, `[::1]:${node.port}`]) {
      expect((await ask("/healthz", { headers: { host, origin: `http://${host}` } })).body).toBe("ok\n");
    }
  });

  test("without the token nothing but pages and health is given", async () => {
    for (const headers of [{}, { authorization: "Bearer nonsense" }, { authorization: node.token }] as Record<
      string,
      string
    >[]) {
      expect((await ask("/api/info", { headers })).status).toBe(401);
      expect((await ask("/api/status", { headers })).status).toBe(401);
      expect((await ask("/api/key-half", { method: "POST", headers, body: "{}" })).status).toBe(401);
    }
    await expect(openSocket(node, { token: null })).rejects.toMatchObject({ status: 401 });
    await expect(openSocket(node, { token: "nonsense" })).rejects.toMatchObject({ status: 401 });
  });

  test("the token lies in a file of its owner's alone, and in the note for the owner's programs", () => {
    expect(statSync(join(node.home, "node", "token")).mode & 0o777).toBe(0o600);
    expect(statSync(join(node.home, "node")).mode & 0o777).toBe(0o700);
    expect(readRunFile(node.port)).toEqual({
      url: `http://127.0.0.1:${node.port}`,
      token: node.token,
      pid: process.pid,
    });
    expect(statSync(join(folder, `earshot-${node.port}.json`)).mode & 0o777).toBe(0o600);
  });
});

describe("the api", () => {
  test("tells the person's own app what it needs", async () => {
    const info = JSON.parse((await ask("/api/info", { headers: withToken() })).body);
    expect(info).toMatchObject({
      protocol: "earshot.edge.1",
      edgeUrl: node.edgeUrl,
      stunUrl: node.stunUrl,
      echo: "card",
    });
    expect(info.supernodeKey).toBe(Buffer.from(node.supernodeKey).toString("hex"));
    const client = await TestClient.connect(node);
    const status = JSON.parse((await ask("/api/status", { headers: withToken() })).body);
    expect(status.connections).toBe(1);
    client.close();
  });

  test("gives the same half for the same salt, another for another, and none for nonsense", async () => {
    const half = async (salt: string) =>
      ask("/api/key-half", { method: "POST", headers: withToken(), body: JSON.stringify({ salt }) });
    const [a, again, b] = [await half("aa".repeat(32)), await half("aa".repeat(32)), await half("ab".repeat(32))];
    expect(JSON.parse(a.body).half).toMatch(/^[0-9a-f]{64}$/);
    expect(again.body).toBe(a.body);
    expect(b.body).not.toBe(a.body);
    expect((await half("aa")).status).toBe(400);
    expect((await half("a".repeat(5_000))).status).toBe(400);
  });

  test("metrics name counts and nobody", async () => {
    const { body, status } = await ask("/metrics");
    expect(status).toBe(200);
    expect(body).toContain("earshot_edge_connections");
    expect(body).toContain("earshot_event_loop_lag_seconds");
    expect(body).not.toMatch(/[0-9a-f]{24}|127\.0\.0\.1/);
  });

  test("an unknown method or path is refused", async () => {
    expect((await ask("/", { method: "DELETE" })).status).toBe(405);
    expect((await ask("/api/nothing", { headers: withToken() })).status).toBe(404);
    expect((await ask("/edge")).status).toBe(426);
  });
});

test("a public supernode serves no app, and lets clients in without a token", async () => {
  const open = await startTestNode({ edge: "open" });
  expect((await fetch(`http://127.0.0.1:${open.port}/`)).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${open.port}/api/info`)).status).toBe(401);
  const client = await TestClient.connect({ ...open, token: "none" });
  expect(client.session.welcome?.supernodeKey).toEqual(new Uint8Array(open.supernodeKey));
  await open.stop();
});

function outcome(socket: WebSocket): Promise<number> {
  return new Promise((resolve) => {
    socket.on("error", () => {});
    socket.on("open", () => resolve(101));
    socket.on("unexpected-response", (_request, response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
  });
}
