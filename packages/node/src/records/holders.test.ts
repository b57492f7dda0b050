import fc from "fast-check";
import { expect, test } from "vitest";
import { Holders } from "./holders.ts";

test("the oldest of the largest holder is found, whatever came and went", () => {
  const operation = fc.record({ holder: fc.nat(4), name: fc.nat(20), add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const holders = new Holders<number>();
      const model = new Map<number, string[]>();
      for (const { holder, name, add } of operations) {
        const names = model.get(holder) ?? [];
        const text = `${holder} ${name}`;
        if (add && !names.includes(text)) {
          holders.add(holder, text);
          model.set(holder, [...names, text]);
        } else if (!add) {
          holders.remove(holder, text);
          model.set(
            holder,
            names.filter((each) => each !== text),
          );
        }
        const most = Math.max(0, ...[...model.values()].map(({ length }) => length));
        const candidates = [...model.values()].filter(({ length }) => length === most).map(([oldest]) => oldest);
        expect(candidates.length === 0 ? [undefined] : candidates).toContain(holders.oldestOfLargest());
      }
    }),
  );
});
