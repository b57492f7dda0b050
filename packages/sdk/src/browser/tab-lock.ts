import { StorageError } from "../errors.ts";

/**
 * One tab per client, through the Web Locks API: two tabs with one device's keys would fight over its mailboxes. The result
 * gives the lock back; the browser does so itself when the tab goes. Where the API is missing (Node, insecure pages),
 * nothing is locked. Throws {@link StorageError} `storage-in-use`.
 */
export async function lockTab(name: string): Promise<() => void> {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  if (!locks) return () => {};
  return new Promise((resolve, reject) => {
    const held = locks.request(`earshot storage ${name}`, { ifAvailable: true }, (lock) => {
      if (!lock) {
        reject(
          new StorageError(
            "storage-in-use",
            "Earshot is open in another tab of this browser. Use it there, or close it.",
          ),
        );
        return undefined;
      }
      return new Promise<void>((release) => resolve(release));
    });
    held.catch(reject);
  });
}
