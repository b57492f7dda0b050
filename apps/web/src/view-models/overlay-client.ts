/** What this app uses of the SDK for homes, in one place. */
import type { Client, ClientEvents, Contact } from "@earshot/sdk";

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
  keepContactKey(id: string): Promise<void>;
}

/** The key behind a contact's name at a domain is another one now: calls to them are stopped until the person has decided. */
export interface NameChange {
  readonly contactId: string;
  readonly address: string;
  readonly newId: string;
}

/** Follows those. */
export function onNameChanged(client: Client, listener: (change: NameChange) => void): () => void {
  return client.on("nameChanged" as keyof ClientEvents, listener as (value: unknown) => void);
}

/** `name@domain`, where the contact was added by one. */
export function addressOf(contact: Contact): string | undefined {
  return (contact as { readonly address?: string }).address;
}

/** The client with those. */
export function overlayOf(client: Client): OverlayClient {
  return client as OverlayClient;
}

/** Where this client is at home now. */
export function homesOf(client: Client): readonly HomeStatus[] {
  return (client.status as { readonly homes?: readonly HomeStatus[] }).homes ?? [];
}
