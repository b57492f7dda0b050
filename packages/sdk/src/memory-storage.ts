import type { Storage } from "./api.ts";

/** Storage that lasts as long as the process: for tests, and for clients that are meant to leave nothing behind. */
export function memoryStorage(): Storage {
  const values = new Map<string, Uint8Array>();
  return {
    async get(key) {
      const value = values.get(key);
      return value && Uint8Array.from(value);
    },
    async set(key, value) {
      values.set(key, Uint8Array.from(value));
    },
    async delete(key) {
      values.delete(key);
    },
    async keys(prefix) {
      return [...values.keys()].filter((key) => key.startsWith(prefix));
    },
    async close() {},
  };
}
