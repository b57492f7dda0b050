/** What the commands use of the SDK for homes, in one place. */
import type { Client } from "@earshot/sdk";

export interface HomeStatus {
  readonly key: string;
  readonly url: string;
  readonly operator: string;
  readonly kind: "own" | "promoted" | "dedicated";
  readonly trusted: boolean;
  readonly state: "connected" | "connecting" | "lost";
  readonly roundTripMs?: number;
}

export interface SupernodeChoice {
  readonly key: string;
  readonly operator: string;
  readonly kind: "promoted" | "dedicated";
  readonly url: string;
  readonly prefix: string;
  readonly roundTripMs?: number;
  readonly trusted: boolean;
  readonly home: boolean;
}

export interface OverlayClient extends Client {
  supernodes(): readonly SupernodeChoice[];
  setTrustedSupernodes(keys: readonly string[]): Promise<void>;
  moveHome(fromKey: string, toKey?: string): Promise<void>;
}

/** The client with those. */
export function overlayOf(client: Client): OverlayClient {
  return client as OverlayClient;
}

/** Where this client is at home now. */
export function homesOf(client: Client): readonly HomeStatus[] {
  return (client.status as { readonly homes?: readonly HomeStatus[] }).homes ?? [];
}
