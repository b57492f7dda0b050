import { deliveryToken, registeredDays, type TokenEntry, tokenHash } from "@earshot/core";
import { iceServersOf } from "../calls/ice-servers.ts";
import { ClockCheck } from "../clock-check.ts";
import { createLinks, type Links } from "../edge/links.ts";
import { Mailboxes } from "../edge/mailboxes.ts";
import { parseNodeAddress } from "../node-address.ts";
import { Presence } from "../presence.ts";
import type { Assembly } from "./assembly.ts";

export function makeMailboxes(parts: Assembly): Promise<Mailboxes> {
  const { ports, book } = parts;
  const tokensOf = (secret: Uint8Array, mailboxId: Uint8Array): TokenEntry[] =>
    registeredDays(ports.clock.now()).map((day) => ({
      day,
      tokenHash: tokenHash(deliveryToken(secret, mailboxId, day)),
    }));
  return Mailboxes.load(ports, {
    onEnvelope: (envelope, lane) => parts.router.handle(envelope, lane),
    tokensFor: (mailboxId) => book.tokenSecrets().flatMap((secret) => tokensOf(secret, mailboxId)),
    onMoved: () => parts.log("mailbox-moved"),
    onProblem: parts.problem,
  });
}

export function makeClockCheck(parts: Assembly): ClockCheck {
  return new ClockCheck(parts.ports.clock, {
    onChange: () => parts.presence.handleClock(),
    // Look-ups repeat themselves; the mailboxes and deliveries stay as they are.
    onJump: () => parts.links.directory.renew(),
  });
}

export function makePresence(parts: Assembly): Presence {
  const { ports, mailboxes, options, events } = parts;
  const { edgeUrl } = parseNodeAddress(options.node);
  return new Presence(
    {
      clock: ports.clock,
      mailboxes,
      links: () => parts.links,
      publisher: () => parts.publisher,
      edgeUrl,
      clockWrong: () => parts.clockCheck.wrong,
    },
    {
      onStatus: (status) => events.emit("status", status),
      onDraining: () => parts.calls.holdRings(),
      onDrained: () => parts.calls.releaseRings(),
      onOnline: () => {
        parts.calls.prepare();
        void whenOnline(parts);
      },
      onProblem: parts.problem,
    },
  );
}

export function makeLinks(parts: Assembly): Links {
  const { ports, options, presence, mailboxes, supernode } = parts;
  return createLinks({ ...ports, transport: options.transport }, options.node, {
    onMailboxes: presence.linkHandlers,
    onWelcome: ({ time }) => parts.clockCheck.note(time),
    onDeliveriesUp: (session, welcome) => {
      supernode.requestWorkBits = welcome.requestWorkBits;
      session
        .request({ type: "get-ice" })
        .then((answer) => {
          if (answer.ok) supernode.iceServers = iceServersOf(answer.value.urls);
        })
        .catch(parts.problem);
    },
    expectedKey: () => mailboxes.home?.supernodeKey,
  });
}

/** What waits goes out, and contacts are looked up so that calling them is fast. */
async function whenOnline({ outbox, looks }: Assembly): Promise<void> {
  await outbox.flush();
  await looks.prepareAll();
}
