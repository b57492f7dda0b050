import type { CallSettingsStore } from "../calls/call-settings.ts";
import { LazyCalls } from "../calls/lazy-calls.ts";
import type { Assembly } from "./assembly.ts";

export function makeCalls(parts: Assembly): LazyCalls {
  const load = async () => (await import("./load-calls.ts")).loadCalls(parts);
  return new LazyCalls(load, parts.ports.clock, (detail) => parts.log("call", detail));
}

/** Loaded with the part that makes calls, or when the person looks at them. */
export function makeCallSettings(parts: Assembly): () => Promise<CallSettingsStore> {
  let loading: Promise<CallSettingsStore> | undefined;
  const load = async () => (await import("./load-calls.ts")).loadCallSettings(parts);
  return () =>
    (loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    }));
}
