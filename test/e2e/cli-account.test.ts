/** The account key taken offline and brought back by its owner, at the command line. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { seedOfPhrase, unwrap } from "@earshot/core";
import { type RunningNode, startNode } from "@earshot/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cli } from "./cli-process.ts";

const cli = new Cli();
let node: RunningNode;
beforeAll(async () => {
  const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0 };
  node = await startNode({ home: cli.path("node"), limits, runFile: false });
});
afterAll(async () => {
  await cli.cleanUp();
  await node.stop();
});

function holds(folder: string, bytes: Uint8Array): boolean {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.some(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes(Buffer.from(bytes)));
}

test("the key leaves the home folder and comes back by the words, and strangers reach its owner meanwhile", async () => {
  const ann = ["--home", cli.path("ann"), "--node", node.url];
  const bob = ["--home", cli.path("bob"), "--node", node.url];
  const { card, id } = await cli.json("id", ...ann);
  const { phrase } = (await cli.json("account", "words", ...ann)) as { phrase: string };
  const seed = unwrap(seedOfPhrase(phrase));
  expect(holds(cli.path("ann"), seed)).toBe(true);

  const { phrase: bobs } = (await cli.json("account", "words", ...bob)) as { phrase: string };
  expect(await cli.runWith(bobs, "account", "forget", ...ann)).toMatchObject({ code: 2 });
  expect(holds(cli.path("ann"), seed)).toBe(true);

  const forgotten = await cli.runWith(phrase, "account", "forget", ...ann, "--json");
  expect(forgotten.events.at(-1)).toMatchObject({ account: { keyHere: false, signedUntil: expect.any(Number) } });
  expect(holds(cli.path("ann"), seed)).toBe(false);
  const status = await cli.run("status", ...ann);
  expect([status.code, status.stdout]).toEqual([0, expect.stringContaining("account key kept offline")]);
  const words = await cli.run("account", "words", ...ann);
  expect([words.code, words.stderr]).toEqual([2, expect.stringContaining("kept offline")]);

  await cli.json("contacts", "add", String(card).split("?")[0] as string, ...bob);
  const { requests } = (await cli.json("contacts", ...ann)) as { requests: unknown[] };
  expect(requests).toHaveLength(1);

  const provided = await cli.runWith(phrase, "account", "provide", "--keep", ...ann, "--json");
  expect(provided.events.at(-1)).toEqual({ account: { keyHere: true } });
  expect(holds(cli.path("ann"), seed)).toBe(true);
  expect((await cli.json("id", ...ann))["id"]).toBe(id);
});

test("words on the command line are not taken, and not repeated", async () => {
  const { code, stderr } = await cli.run("account", "abandonabandon", "art", "--home", cli.path("ann"));
  expect(code).toBe(2);
  expect(stderr).not.toContain("abandon");
});
