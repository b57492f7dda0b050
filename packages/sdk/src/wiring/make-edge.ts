import { deliveryToken, registeredDays, type TokenEntry, tokenHash } from "@earshot/core";
import { ClockCheck } from "../clock-check.ts";
import { Homes } from "../edge/homes.ts";
import { Network } from "../edge/network.ts";
import type { MailboxHandlers } from "../edge/mailboxes.ts";
import { TrustedSupernodes } from "../edge/trusted-supernodes.ts";
import { Presence } from "../presence.ts";
import type { Assembly } from "./assembly.ts";
import { homeStatuses } from "./home-status.ts";

export async function makeHomes(parts: Assembly): Promise<Homes> {
  const { ports, options } = parts;
  return Homes.load(
    {
      ...ports,
      transport: options.transport,
      node: options.node,
      mailboxHandlers: (source) => mailboxHandlers(parts, source),
    },
    {
      onUp: (slot, session, welcome) => void parts.presence.arrive(slot, session, welcome),
      onDown: (slot, problem, retryInMs) => {
        parts.presence.leave(slot, problem, retryInMs);
        // Another node answers there: who?
        if (problem === "wrong-supernode" && slot.mailboxes.own) parts.network.hurry();
      },
      onDeliveries: () => {
        // With the first one that is back; the others add nothing.
        if (parts.homes.deliveries().filter(({ session }) => session).length === 1) parts.calls.handleHomeBack();
      },
      onPush: (slot, event) => parts.presence.pushed(slot, event),
      onProblem: parts.problem,
      onChange: () => {
        parts.presence.tell();
        parts.network.changed();
        void parts.presence.republish();
      },
    },
  );
}

function mailboxHandlers(parts: Assembly, source: string): MailboxHandlers {
  const { ports, book } = parts;
  const tokensOf = (secret: Uint8Array, mailboxId: Uint8Array): TokenEntry[] =>
    registeredDays(ports.clock.now()).map((day) => ({
      day,
      tokenHash: tokenHash(deliveryToken(secret, mailboxId, day)),
    }));
  return {
    onEnvelope: (envelope, lane) => parts.later.router.handle(envelope, lane, source),
    tokensFor: (mailboxId) => book.tokenSecrets().flatMap((secret) => tokensOf(secret, mailboxId)),
    onMoved: () => parts.log("mailbox-moved"),
    onProblem: parts.problem,
  };
}

export function makeTrusted({ ports }: Assembly): Promise<TrustedSupernodes> {
  return TrustedSupernodes.load(ports.storage);
}

export function makeNetwork(parts: Assembly): Network {
  const { ports, options, homes, trusted, presence } = parts;
  const load = async () => {
    const { Roaming } = await import("../edge/roaming.ts");
    return new Roaming({
      ...ports,
      transport: options.transport,
      node: options.node,
      homes,
      isTrusted: (key) => trusted.has(key),
      onWelcome: (time) => parts.clockCheck.note(time),
      onRefused: parts.refuse,
      onProblem: parts.problem,
      onUnreachable: (problem, retryInMs) => presence.unreachable(problem, retryInMs),
      onKnown: () => presence.tell(),
      published: () => presence.republish(),
    });
  };
  return new Network(load, ports.clock, parts.problem);
}

export function makeClockCheck(parts: Assembly): ClockCheck {
  return new ClockCheck(parts.ports.clock, {
    onChange: () => parts.presence.tell(),
    // Who there is is asked anew, which tells the time; the mailboxes and deliveries stay as they are where they still answer.
    onJump: () => {
      parts.homes.clockJumped();
      parts.network.renew();
    },
  });
}

export function makePresence(parts: Assembly): Presence {
  const { ports, homes, events } = parts;
  return new Presence(
    {
      clock: ports.clock,
      random: ports.random,
      homes: () => homes,
      publisher: () => parts.publisher,
      whereIs: ({ key }) => parts.network.roaming?.whereIs(key) ?? {},
      homeStatus: () => homeStatuses(parts),
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
      onHome: () => parts.network.changed(),
      onLeaving: (slot, descriptors) => parts.network.draining(slot, descriptors),
      onProblem: parts.problem,
    },
  );
}

/** What waits goes out, and contacts are looked up so that calling them is fast. */
async function whenOnline({ outbox, looks }: Assembly): Promise<void> {
  await outbox.flush();
  await looks.prepareAll();
}
