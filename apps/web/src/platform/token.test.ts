import { describe, expect, it } from "vitest";
import { takeArrival } from "./token.ts";

function page(hash: string, kept: Record<string, string> = {}) {
  const store = new Map(Object.entries(kept));
  const shown: string[] = [];
  const arrival = takeArrival(
    { hash, pathname: "/", search: "" } as Location,
    { replaceState: (_state: unknown, _title: string, url: string) => shown.push(url) } as unknown as History,
    {
      getItem: (key: string) => store.get(key) ?? null,
      setItem: (key: string, value: string) => void store.set(key, value),
    } as unknown as Storage,
  );
  return { arrival, shown, store };
}

describe("the token in the address", () => {
  it("is kept, and taken out of the address bar", () => {
    const { arrival, shown, store } = page("#token=abc-DEF_1");
    expect(arrival.token).toBe("abc-DEF_1");
    expect(shown).toEqual(["/"]);
    expect([...store.values()]).toEqual(["abc-DEF_1"]);
  });

  it("comes from an earlier visit, and gives way to a newer one", () => {
    expect(page("", { "earshot.token": "old" }).arrival.token).toBe("old");
    expect(page("#token=new", { "earshot.token": "old" }).arrival.token).toBe("new");
  });

  it("is missing where nothing came", () => {
    const { arrival, shown } = page("");
    expect(arrival).toEqual({ token: undefined, card: undefined });
    expect(shown).toEqual([]);
  });

  it("leaves a card's characters alone, and survives broken escapes", () => {
    expect(page("#card=earshot:ear1x?c=a-_b+c").arrival.card).toBe("earshot:ear1x?c=a-_b+c");
    expect(page("#token=t&card=earshot%3Aear1x%3Fc%3Da").arrival.card).toBe("earshot:ear1x?c=a");
    expect(page("#card=%E0%A4%A").arrival.card).toBeUndefined();
  });
});
