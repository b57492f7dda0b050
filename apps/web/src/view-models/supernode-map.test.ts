import { describe, expect, it } from "vitest";
import { neighbour } from "../demo/scripted-report.ts";
import { layOutMap, type MapPoint, tableRows } from "./supernode-map.ts";

const NOBODY: ReadonlySet<string> = new Set();
const distance = ({ x, y }: MapPoint) => Math.hypot(x, y);

describe("the map", () => {
  it("puts a longer round trip farther out, and what was not measured outermost", () => {
    const at = (roundTripMs: number | null) => {
      const [point] = layOutMap([{ ...neighbour(0), roundTripMs }], NOBODY).points;
      if (point === undefined) throw new Error("no point");
      return point;
    };
    const distances = [0, 5, 20, 100, 400, null].map((ms) => distance(at(ms)));
    expect(distances).toEqual(distances.toSorted((a, b) => a - b));
    expect(Math.max(...distances)).toBeLessThan(100);
    expect(at(null).measured).toBe(false);
  });

  it("keeps operators and prefixes together, and leaves the node itself out", () => {
    const all = [0, 3, 1, 11, 2].map((index) => ({ ...neighbour(index), self: index === 2 }));
    const { points } = layOutMap(all, NOBODY);
    expect(points).toHaveLength(4);
    expect(points.slice(0, 2).map(({ name }) => name)).toEqual(["calls.example", "calls.example"]);
  });

  it("says in words all that it draws", () => {
    const home = { ...neighbour(3), peer: true };
    const { points, summary } = layOutMap([home, neighbour(0)], new Set([home.key]));
    expect(points.at(-1)).toMatchObject({ home: true, kind: "dedicated" });
    expect(points.at(-1)?.label).toMatch(
      /^Your home\. calls\.example, dedicated, round trip \d+ ms, \d+ % full, connected$/,
    );
    expect(summary).toBe("2 supernodes are known: 1 promoted, 1 dedicated; one of them is your home.");
  });

  it("draws 512 as a few, and loses none; own homes stay single", () => {
    const all = Array.from({ length: 512 }, (_, index) => neighbour(index));
    const home = all[100]?.key ?? "";
    const { points } = layOutMap(all, new Set([home]));
    expect(points.length).toBeLessThan(60);
    expect(points.reduce((total, { count }) => total + count, 0)).toBe(512);
    expect(points.find(({ id }) => id === home)).toMatchObject({ count: 1, home: true });
    expect(new Set(points.map(({ id }) => id)).size).toBe(points.length);
  });

  it("lets no two of those few overlap, and leaves the rings' labels free", () => {
    const all = Array.from({ length: 512 }, (_, index) => neighbour(index));
    const { points } = layOutMap(all, NOBODY);
    for (const [index, a] of points.entries()) {
      expect(Math.abs(a.x) > a.radius || a.y > 0).toBe(true);
      for (const b of points.slice(index + 1))
        expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(a.radius + b.radius);
    }
  });

  it("shortens a long name on the drawing, and tells supernodes without one apart in the table", () => {
    const long = { ...neighbour(3), operator: "An association with a very long name" };
    const [point] = layOutMap([long], new Set([long.key])).points;
    expect(point?.name).toBe("An association wi…");
    expect(point?.label).toContain(long.operator);
    expect(tableRows([neighbour(0), neighbour(1)], NOBODY).map(({ name }) => name)).toEqual([
      "Supernode 01010101…",
      "Supernode 02020202…",
    ]);
  });

  it("has a table with the same, the nearest first", () => {
    const rows = tableRows([neighbour(9), neighbour(0), neighbour(3)], new Set([neighbour(3).key]));
    expect(rows.map(({ roundTrip }) => roundTrip)).toEqual(["6 ms", "117 ms", "not measured"]);
    expect(rows[1]).toMatchObject({ name: "calls.example", notes: "your home" });
  });

  it("is empty where nobody is known", () => {
    expect(layOutMap([], NOBODY)).toMatchObject({ points: [], summary: "No other supernode is known yet." });
  });
});
