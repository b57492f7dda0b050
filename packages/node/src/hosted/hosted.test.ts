import { createServer, request } from "node:http";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen } from "../http/http-server.ts";
import { type DedicatedProcess, spawnDedicated } from "../testing/dedicated-process.ts";
import { TestClient } from "../testing/test-client.ts";
import { temporaryHome } from "../testing/test-node.ts";
import { type AppManifest, manifestOf, parseManifest, rootOf, sha256 } from "./manifest.ts";
import { verifyHostedApp } from "./verify-app.ts";

const app = mkdtempSync(join(tmpdir(), "earshot-hosted-"));
let supernode: DedicatedProcess;
let origin: string;
let own: AppManifest;

beforeAll(async () => {
  mkdirSync(join(app, "assets"));
  writeFileSync(join(app, "index.html"), "<!doctype html><script src=/assets/main-1.js></script>");
  writeFileSync(join(app, "assets", "main-1.js"), "export {};");
  writeFileSync(join(app, ".env"), "secret");
  own = await manifestOf(app);
  supernode = await spawnDedicated({
    home: temporaryHome(),
    operator: "Example e.V.",
    front: { workers: 1, serveApp: app },
  });
  origin = `http://127.0.0.1:${supernode.frontPort}`;
}, 30_000);
afterAll(async () => {
  await supernode?.kill9();
  rmSync(app, { recursive: true, force: true });
});

test("says that it is hosted, by whom, and what it is", async () => {
  expect(await (await fetch(`${origin}/hosted.json`)).json()).toEqual({
    kind: "hosted",
    operator: "Example e.V.",
    supernodeKey: supernode.supernodeKey,
    edgeGate: "",
    root: own.root,
  });
  const manifest = (await (await fetch(`${origin}/app-manifest.json`)).json()) as AppManifest;
  expect(manifest).toEqual(own);
  expect(Object.keys(manifest.files)).toEqual(["assets/main-1.js", "index.html"]);
});

test("is served under a strict policy, with neither token nor API", async () => {
  const page = await fetch(`${origin}/`);
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).toContain("connect-src 'self' wss:");
  expect(policy).not.toContain("unsafe");
  const bearer = { authorization: `Bearer ${supernode.token}` };
  for (const path of ["/api/info", "/api/key-half", "/metrics", "/.env"])
    expect((await fetch(origin + path, { headers: bearer })).status).toBe(404);
});

test("its descriptor says so, too", async () => {
  const client = await TestClient.connect(supernode);
  const answer = await client.session.request({ type: "list-supernodes" });
  expect(answer.ok && answer.value.descriptors.length).toBe(1);
  client.close();
});

/** Serves what `bodies` has by path, under a manifest of its choice. */
async function liar(bodies: Record<string, string>, manifest: string): Promise<{ origin: string; close: () => void }> {
  const server = createServer(({ url = "" }, response) => {
    const body = url === "/app-manifest.json" ? manifest : bodies[url.slice(1)];
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  const port = await listen(server, "127.0.0.1", 0);
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close() };
}

describe("verify-app", () => {
  const html = "<!doctype html><script src=/assets/main-1.js></script>";
  const script = "export {};";

  test("finds it the same, whatever has become of the files on disk since", async () => {
    expect(await verifyHostedApp(origin, own)).toMatchObject({ same: true, different: [], missing: [], extra: [] });
    writeFileSync(join(app, "assets", "main-1.js"), "export const newer = 1;");
    writeFileSync(join(app, "later.js"), "export {};");
    expect(await verifyHostedApp(origin, own)).toMatchObject({ same: true });
    expect((await fetch(`${origin}/later.js`)).status).toBe(404);
    expect(await verifyHostedApp(origin, await manifestOf(app))).toMatchObject({
      same: false,
      different: ["assets/main-1.js"],
      missing: ["later.js"],
    });
  });

  test.each<[string, Record<string, string>, object]>([
    [
      "a changed file",
      { "": html, "index.html": html, "assets/main-1.js": "evil()" },
      { different: ["assets/main-1.js"] },
    ],
    ["a changed page", { "": "evil", "index.html": html, "assets/main-1.js": script }, { different: ["/"] }],
    ["a file that is missing", { "": html, "index.html": html }, { missing: ["assets/main-1.js"] }],
  ])("finds %s under an honest manifest", async (_what, bodies, found) => {
    const other = await liar(bodies, JSON.stringify(own));
    expect(await verifyHostedApp(other.origin, own)).toMatchObject({ same: false, ...found });
    other.close();
  });

  test("finds what a manifest has besides", async () => {
    const files = { ...own.files, "more.js": { sha256: "00".repeat(32), bytes: 1 } };
    const bodies = { "": html, "index.html": html, "assets/main-1.js": script };
    const other = await liar(bodies, JSON.stringify({ ...own, files, root: rootOf(files) }));
    expect(await verifyHostedApp(other.origin, own)).toMatchObject({ same: false, extra: ["more.js"], different: [] });
    other.close();
  });

  test("says that nothing can be said where nobody answers, or breaks off", async () => {
    const unreachable = { code: "app-unreachable" };
    await expect(verifyHostedApp("http://127.0.0.1:1", own)).rejects.toMatchObject(unreachable);
    const server = createServer((_request, response) => {
      response.writeHead(200, { "content-length": 100 }).write("begun");
      setImmediate(() => response.destroy());
    });
    const port = await listen(server, "127.0.0.1", 0);
    await expect(verifyHostedApp(`http://127.0.0.1:${port}`, own)).rejects.toMatchObject(unreachable);
    server.close();
  });
});

test("is sent compressed to those who take it, and the same to those who do not", async () => {
  const get = (encoding: string) =>
    new Promise<{ encoding: string | undefined; length: string | undefined; type: string | undefined }>((resolve) => {
      request(`${origin}/index.html`, { headers: { "accept-encoding": encoding } }, ({ headers }) =>
        resolve({
          encoding: headers["content-encoding"],
          length: headers["content-length"],
          type: headers["content-type"],
        }),
      ).end();
    });
  const type = "text/html; charset=utf-8";
  expect(await get("identity")).toEqual({ encoding: undefined, length: String(own.files["index.html"]?.bytes), type });
  expect(await get("gzip;q=0, br")).toMatchObject({ encoding: undefined });
  expect(await get("deflate, gzip;q=0.5")).toMatchObject({ encoding: "gzip", type });
  expect(sha256(Buffer.from(await (await fetch(`${origin}/index.html`)).arrayBuffer()))).toBe(
    own.files["index.html"]?.sha256,
  );
});

test("a manifest that does not hold together is none", async () => {
  const text = JSON.stringify(own);
  expect(parseManifest(text)).toEqual(own);
  for (const broken of [
    "",
    "null",
    "[]",
    text.replace('"bytes":10', '"bytes":"10"'),
    text.replace("index.html", "../index.html"),
    text.replace(own.root, "00".repeat(32)),
    JSON.stringify({ ...own, version: 2 }),
  ])
    expect(parseManifest(broken)).toBeUndefined();
});

test("a folder without an app is refused", async () => {
  await expect(manifestOf(join(app, "assets"))).rejects.toMatchObject({ code: "app-not-built" });
  await expect(manifestOf(join(app, "nowhere"))).rejects.toMatchObject({ code: "app-not-built" });
});
