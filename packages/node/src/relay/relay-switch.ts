/**
 * The relay that runs at present: as the operator started the node, or as its owner allows while it runs. Turned on and off, and moved
 * when the address changes, without the node being started anew. docs/relay.md
 */
import { type Clock, EarshotError, type RelayLending, type RelayLimits } from "@earshot/core";
import { errorCodeOf, type NodeLog } from "../log.ts";
import type { WantedPort } from "../port-mapping/gateway-session.ts";
import type { RelayWord } from "./relay-consent.ts";
import type { RelayPass, RelayRole } from "./relay-role.ts";
import type { RelayAddress } from "./relay-sockets.ts";
import type { RouterPorts } from "./router-ports.ts";

/** Addresses change, routers come back, and ports become free. */
const LOOK_EVERY_MS = 15_000;

/** Where others reach this machine, or why they do not. */
export type RelayPlace = RelayAddress | "no-address" | "behind-router";

export interface RelaySwitchPorts {
  readonly clock: Clock;
  readonly log: NodeLog;
  readonly consent: RelayWord;
  place(): Promise<RelayPlace>;
  /** Of the router that may stand before this machine. */
  readonly router?: RouterPorts;
  /** Rejects with the system's error where a port cannot be had. */
  start(address: RelayAddress, limits: RelayLimits): Promise<RelayRole>;
}

interface Lent {
  readonly role: RelayRole;
  readonly address: RelayAddress;
  readonly limits: RelayLimits;
}

export class RelaySwitch {
  readonly #started: RelayRole | undefined;
  readonly #ports: RelaySwitchPorts | undefined;
  #lent: Lent | undefined;
  #state: RelayLending["state"] = "off";
  /** One look after the other. */
  #turn: Promise<void> = Promise.resolve();
  #stopped = false;
  #cancel = () => {};

  /** `started`: by the operator, for good. `ports`: of a node whose owner may say so while it runs; looks from now on. */
  constructor(started: RelayRole | undefined, ports?: RelaySwitchPorts) {
    this.#started = started;
    this.#ports = started === undefined ? ports : undefined;
  }

  /** Undefined while it does not relay. */
  get current(): RelayRole | undefined {
    return this.#started ?? this.#lent?.role;
  }
  get own(): RelayRole["own"] {
    return this.current?.own;
  }
  pass(mailboxId: Uint8Array): RelayPass | undefined {
    return this.current?.pass(mailboxId);
  }

  /** That a router in front of this machine has to open. */
  readonly wantedPorts = (): readonly WantedPort[] => {
    const { consent, router } = this.#ports ?? {};
    return consent?.current.given ? (router?.wanted() ?? []) : [];
  };
  followRouter(...[followed]: Parameters<RouterPorts["follow"]>): void {
    this.#ports?.router?.follow(followed);
  }

  /** Null where it does not depend on what is possible at the moment: neither on its owner's word nor on an address. */
  get lending(): RelayLending | null {
    if (this.#ports === undefined) return null;
    const { consent } = this.#ports;
    const { given, limits } = consent.current;
    const state = given ? this.#state : "off";
    return { given, ...(consent.set === undefined ? { byOperator: true } : {}), limits, state };
  }

  /**
   * The owner's word; without limits those that held stay. Resolves with what came of it, or null where there is nothing to say.
   * A relay that is turned off, or given other limits, lets go of the calls it carries: they look for another way. Rejects where it
   * cannot be kept.
   */
  async setConsent(given: boolean, limits?: RelayLimits): Promise<RelayLending | null> {
    if (this.#ports === undefined) return null;
    const { consent } = this.#ports;
    if (consent.set === undefined) return null;
    try {
      consent.set(given, limits ?? consent.current.limits);
    } finally {
      await this.look();
    }
    return this.lending;
  }

  /** Makes what runs be what is allowed and possible now, and looks again by itself later. Never rejects. */
  look(): Promise<void> {
    const ports = this.#ports;
    if (ports === undefined || this.#stopped) return Promise.resolve();
    this.#turn = this.#turn.then(async () => {
      this.#cancel();
      if (this.#stopped) return;
      await this.#takeTurn(ports).catch((error: unknown) => this.#failed(error, ports));
      this.#cancel = ports.clock.setTimer(LOOK_EVERY_MS, () => void this.look());
    });
    return this.#turn;
  }

  async close(): Promise<void> {
    this.#stopped = true;
    await this.#turn;
    this.#cancel();
    await Promise.all([this.#started?.close(), this.#letGo()]);
    this.#ports?.router?.release();
  }

  #failed(error: unknown, { log }: RelaySwitchPorts): void {
    const errorCode = errorCodeOf(error);
    this.#state = errorCode === "EADDRINUSE" ? "port-taken" : "failed";
    log.warn("relay-unavailable", { errorCode });
  }

  async #takeTurn({ consent, log, place, router, start }: RelaySwitchPorts): Promise<void> {
    const { given, limits } = consent.current;
    if (!given) {
      this.#state = "off";
      await this.#letGo();
      return router?.release();
    }
    const address = await place();
    if (typeof address === "string") {
      // What runs goes on while nobody says that it is in vain.
      if (this.#lent !== undefined && address === "no-address") return;
      this.#state = address;
      return this.#letGo();
    }
    if (this.#lent !== undefined && isSame(this.#lent, { address, limits })) return;
    await this.#letGo();
    const role = await start(address, limits);
    this.#lent = { role, address, limits };
    this.#state = "on";
    log.info("relay-started", { port: role.own?.port ?? 0 });
  }

  async #letGo(): Promise<void> {
    const lent = this.#lent;
    this.#lent = undefined;
    await lent?.role.close();
  }
}

function isSame(one: Omit<Lent, "role">, other: Omit<Lent, "role">): boolean {
  return (
    one.address.host === other.address.host &&
    one.address.announced === other.address.announced &&
    one.limits.maxAllocations === other.limits.maxAllocations &&
    one.limits.maxBytesPerSecond === other.limits.maxBytesPerSecond
  );
}

/** What an operator reads whose relay does not start with the node. */
export function relayError(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  const reasons: Record<string, string> = {
    EADDRINUSE: "the relay's port is in use: choose another with --relay-port",
    EACCES: "this user may not open the relay's port: choose one above 1023 with --relay-port",
    EADDRNOTAVAIL: "the relay's address is none of this machine's: give one that is, or --relay-bind",
  };
  const reason = code === undefined ? undefined : reasons[code];
  return reason === undefined ? error : new EarshotError("relay-unavailable", reason);
}
