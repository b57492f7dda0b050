import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DedicatedProcess, spawnDedicated } from "../testing/dedicated-process.ts";
import { TestClient } from "../testing/test-client.ts";
import { temporaryHome } from "../testing/test-node.ts";
import { type AppManifest, manifestOf, parseManifest, rootOf } from "./manifest.ts";
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

test("is found the same, and any change is found", async () => {
  expect(await verifyHostedApp(origin, own)).toMatchObject({ same: true, different: [], missing: [], extra: [] });
  writeFileSync(join(app, "assets", "main-1.js"), "export const evil = 1;");
  expect(await verifyHostedApp(origin, own)).toMatchObject({ same: false, different: ["assets/main-1.js"] });
  writeFileSync(join(app, "assets", "main-1.js"), "export {};");
  rmSync(join(app, "index.html"));
  expect(await verifyHostedApp(origin, own)).toMatchObject({ same: false, missing: ["/", "index.html"] });
  const others = { "other.js": { sha256: "00".repeat(32), bytes: 1 } };
  const found = await verifyHostedApp(origin, { ...own, files: others, root: rootOf(others) });
  expect(found).toMatchObject({ same: false, missing: ["/", "other.js"], extra: ["assets/main-1.js", "index.html"] });
  await expect(verifyHostedApp("http://127.0.0.1:1", own)).rejects.toMatchObject({ code: "app-unreachable" });
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
