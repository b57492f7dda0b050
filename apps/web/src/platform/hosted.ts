/** A page that a supernode serves to strangers says so at `/hosted.json`. */
import type { Hosted } from "../view-models/ports.ts";

const REQUEST_TIMEOUT_MS = 10_000;
const HALF_KEY = "earshot.hosted-half";
const HALF_BYTES = 32;

/** Undefined where this page comes from one's own node. */
export async function hostedLabel(): Promise<Hosted | undefined> {
  const response = await fetch("/hosted.json", {
    cache: "no-store",
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  }).catch(() => undefined);
  if (!response?.ok) return undefined;
  const label: unknown = await response.json().catch(() => undefined);
  if (typeof label !== "object" || label === null || !("kind" in label) || label.kind !== "hosted") return undefined;
  const operator = "operator" in label && typeof label.operator === "string" ? label.operator : "";
  return { operator, host: location.host };
}

/**
 * No node keeps the other half of the storage key: it lies in this browser as well. Whoever can read the whole profile can
 * then open it, which is part of why a hosted copy is the weaker kind.
 */
export async function hostedKeyHalf(salt: Uint8Array): Promise<Uint8Array> {
  const kept = localStorage.getItem(HALF_KEY) ?? freshHalf();
  const mixed = new Uint8Array([...Uint8Array.from(atob(kept), (char) => char.charCodeAt(0)), ...salt]);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", mixed));
}

function freshHalf(): string {
  const half = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(HALF_BYTES))));
  localStorage.setItem(HALF_KEY, half);
  return half;
}
