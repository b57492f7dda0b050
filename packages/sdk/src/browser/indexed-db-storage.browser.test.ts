import { indexedDbStorage } from "./indexed-db-storage.ts";
import { indexedDbCases } from "./indexed-db-cases.ts";
import { expect, it } from "vitest";

indexedDbCases();

it("is refused to a second tab while the first has it", async () => {
  const keyHalf = async (salt: Uint8Array) => salt;
  const first = await indexedDbStorage({ name: "tabs", keyHalf });
  await expect(indexedDbStorage({ name: "tabs", keyHalf })).rejects.toMatchObject({ code: "storage-in-use" });
  await first.close();
});
