/**
 * The app as a supernode serves it to strangers: the weaker kind, because whoever serves a page can change it. It says so itself, at
 * `/hosted.json`, and publishes what it serves, at `/app-manifest.json`, for `earshot verify-app`.
 */
import { toHex } from "@earshot/core";
import type { HostedOrders } from "../workers/control.ts";
import { readApp } from "./manifest.ts";

/** The body of `/hosted.json`. */
export interface HostedLabel {
  readonly kind: "hosted";
  /** Who runs it, by their own word; may be empty. */
  readonly operator: string;
  /** Hex. */
  readonly supernodeKey: string;
  /** The sub-protocol that its edge asks of members of a private network; empty where anyone may come. */
  readonly edgeGate: string;
  /** Of the manifest. */
  readonly root: string;
}

export interface HostedBy {
  readonly operator: string;
  readonly supernodeKey: Uint8Array;
  readonly gateProtocol: string | undefined;
}

/** Rejects with EarshotError `app-not-built`. */
export async function createHosted(appDir: string, by: HostedBy): Promise<HostedOrders> {
  const { manifest, contents } = await readApp(appDir);
  const label: HostedLabel = {
    kind: "hosted",
    operator: by.operator,
    supernodeKey: toHex(by.supernodeKey),
    edgeGate: by.gateProtocol ?? "",
    root: manifest.root,
  };
  const files = Object.fromEntries([...contents].map(([path, content]) => [path, content.toString("base64")]));
  return { label: `${JSON.stringify(label)}\n`, manifest: `${JSON.stringify(manifest)}\n`, files };
}
