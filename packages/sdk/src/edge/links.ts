import type { EdgeSession, Welcome } from "@earshot/core";
import type { NodeAddress } from "../api.ts";
import { EdgeLink, type EdgeLinkHandlers, type EdgeLinkPorts } from "./edge-link.ts";

/** The three connections of a client: kept apart so that a supernode cannot tie mailboxes, deliveries and look-ups together by them. */
export interface Links {
  readonly mailboxes: EdgeLink;
  readonly deliveries: EdgeLink;
  readonly directory: EdgeLink;
}

export interface LinksOptions {
  readonly onMailboxes: EdgeLinkHandlers;
  readonly onDeliveriesUp: (session: EdgeSession, welcome: Welcome) => void;
  /** Of each connection, before anything else is made of it. */
  readonly onWelcome: (welcome: Welcome) => void;
  /** The supernode that the other two must be: the one that holds the mailboxes, once that is known. */
  readonly expectedKey: () => Uint8Array | undefined;
}

export function createLinks(ports: EdgeLinkPorts, node: NodeAddress, options: LinksOptions): Links {
  const { expectedKey } = options;
  const welcomed = (onUp: EdgeLinkHandlers["onUp"]) => (session: EdgeSession, welcome: Welcome) => {
    options.onWelcome(welcome);
    onUp?.(session, welcome);
  };
  const { onMailboxes } = options;
  return {
    mailboxes: new EdgeLink(ports, node, { ...onMailboxes, onUp: welcomed(onMailboxes.onUp) }),
    deliveries: new EdgeLink(ports, node, { onUp: welcomed(options.onDeliveriesUp) }, { expectedKey }),
    directory: new EdgeLink(ports, node, { onUp: welcomed(undefined) }, { expectedKey }),
  };
}

export function eachLink(links: Links, act: (link: EdgeLink) => void): void {
  for (const link of [links.mailboxes, links.deliveries, links.directory]) act(link);
}
