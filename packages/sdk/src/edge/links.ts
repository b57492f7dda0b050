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
  /** The supernode that the other two must be: the one that holds the mailboxes, once that is known. */
  readonly expectedKey: () => Uint8Array | undefined;
}

export function createLinks(ports: EdgeLinkPorts, node: NodeAddress, options: LinksOptions): Links {
  const { expectedKey } = options;
  return {
    mailboxes: new EdgeLink(ports, node, options.onMailboxes),
    deliveries: new EdgeLink(ports, node, { onUp: options.onDeliveriesUp }, { expectedKey }),
    directory: new EdgeLink(ports, node, {}, { expectedKey }),
  };
}

export function eachLink(links: Links, act: (link: EdgeLink) => void): void {
  for (const link of [links.mailboxes, links.deliveries, links.directory]) act(link);
}
