/** The public front as a part of a daemon: started before the edge listener, because others are told its port. */
import type { EdgeListener } from "../edge/edge-listener.ts";
import { bracketed, isLoopbackHost } from "../http/access.ts";
import { type FrontCore, type FrontOptions, type PublicFront, startPublicFront } from "./public-front.ts";

/** Told to those who come while the daemon is still starting. */
const STARTING_RETRY_MS = 1_000;

export interface NodeFront extends PublicFront {
  /** Where STUN listens: past a proxy, which carries no UDP. */
  readonly host: string;
  /** What others reach the edge by. */
  readonly edgeUrl: string;
  /** From now on newcomers are let in. */
  attach(listener: EdgeListener): void;
}

/** Starts it; rejects as `startPublicFront` does. `publicUrl`: what others reach it by, where that is not its own address. */
export async function openFront(
  options: FrontOptions,
  publicUrl: string | undefined,
  core: Omit<FrontCore, "listener">,
): Promise<NodeFront> {
  let attached: EdgeListener | undefined;
  const listener: FrontCore["listener"] = {
    admit: (address) => attached?.admit(address) ?? { admitted: false, retryAfterMs: STARTING_RETRY_MS },
    release: (prefix) => attached?.release(prefix),
    add: (...connection) => attached?.add(...connection),
  };
  const named = publicUrl === undefined ? [] : [new URL(publicUrl).host];
  const extraHosts = [...named, ...(options.extraHosts ?? [])];
  const front = await startPublicFront({ ...options, extraHosts }, { ...core, listener });
  const shown = options.host === "0.0.0.0" || options.host === "::" ? "127.0.0.1" : bracketed(options.host);
  return {
    ...front,
    host: options.trustLocalProxy === true && isLoopbackHost(options.host) ? "0.0.0.0" : options.host,
    edgeUrl: publicUrl ?? `${options.tls ? "wss" : "ws"}://${shown}:${front.port}/edge`,
    attach: (ready) => {
      attached = ready;
    },
  };
}
