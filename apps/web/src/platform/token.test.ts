import { describe, expect, it } from "vitest";
import type { Obstacle } from "../view-models/ports.ts";
import { takeArrival, tokenKeeper } from "./token.ts";

function arrive(hash: string) {
  const shown: string[] = [];
  const history = { replaceState: (_state: unknown, _title: string, url: string) => shown.push(url) };
  const arrival = takeArrival({ hash, pathname: "/", search: "" } as Location, history as unknown as History);
  return { arrival, shown };
}

/** A browser that keeps `kept`, opened with `given`, and a node that accepts `good`. */
function keeper(given: string | undefined, kept: string | undefined, good: string) {
  const store = new Map(kept === undefined ? [] : [["earshot.token", kept]]);
  const node: { obstacle: Obstacle | undefined } = { obstacle: undefined };
  const storage = {
    getItem: (key: string) => store.get(key) ?? null,
    setItem: (key: string, value: string) => void store.set(key, value),
  };
  const tokens = tokenKeeper(
    storage as unknown as Storage,
    given,
    async (token) => node.obstacle ?? (token === good ? undefined : "token-refused"),
  );
  return { tokens, node, storage, keeps: () => store.get("earshot.token") };
}

describe("what comes with the address", () => {
  it("is taken out of the address bar", () => {
    const { arrival, shown } = arrive("#token=abc-DEF_1");
    expect(arrival.token).toBe("abc-DEF_1");
    expect(shown).toEqual(["/"]);
  });

  it("is missing where nothing came", () => {
    const { arrival, shown } = arrive("");
    expect(arrival).toEqual({ token: undefined, card: undefined });
    expect(shown).toEqual([]);
  });

  it("keeps a card's characters, and survives broken escapes", () => {
    expect(arrive("#card=earshot:ear1x?c=a-_b+c").arrival.card).toBe("earshot:ear1x?c=a-_b+c");
    expect(arrive("#token=t&card=earshot%3Aear1x%3Fc%3Da").arrival.card).toBe("earshot:ear1x?c=a");
    expect(arrive("#card=%E0%A4%A").arrival.card).toBeUndefined();
  });
});

describe("the node's token", () => {
  it("is kept for later visits once the node accepted it, and replaces an older one", async () => {
    const first = keeper("good", "old", "good");
    expect(await first.tokens.find()).toEqual({ token: "good" });
    expect(first.keeps()).toBe("good");
    expect(await keeper(undefined, "good", "good").tokens.find()).toEqual({ token: "good" });
  });

  it("is not pushed out by a link with a wrong one", async () => {
    const { tokens, keeps } = keeper("garbage", "good", "good");
    expect(await tokens.find()).toEqual({ token: "good" });
    expect(await tokens.offer("garbage")).toBe(false);
    expect(keeps()).toBe("good");
  });

  it("is not judged while the node does not answer", async () => {
    const { tokens, node, keeps } = keeper("new", "old", "new");
    node.obstacle = "node-unreachable";
    expect(await tokens.find()).toEqual({ obstacle: "node-unreachable" });
    expect(await tokens.offer("new")).toBe(false);
    expect(keeps()).toBe("old");
    node.obstacle = undefined;
    expect(await tokens.find()).toEqual({ token: "new" });
  });

  it("is looked for again on another try: another tab may have brought it", async () => {
    const { tokens, storage } = keeper(undefined, undefined, "good");
    expect(await tokens.find()).toEqual({ obstacle: "token-missing" });
    storage.setItem("earshot.token", "wrong");
    expect(await tokens.find()).toEqual({ obstacle: "token-refused" });
    storage.setItem("earshot.token", "good");
    expect(await tokens.find()).toEqual({ token: "good" });
  });

  it("is taken from an address pasted into an open page, once", async () => {
    const { tokens, keeps } = keeper(undefined, "old", "new");
    expect(await tokens.offer("wrong")).toBe(false);
    expect(await tokens.find()).toEqual({ obstacle: "token-refused" });
    expect(await tokens.offer("new")).toBe(true);
    expect(await tokens.offer("new")).toBe(false);
    expect(keeps()).toBe("new");
  });
});
