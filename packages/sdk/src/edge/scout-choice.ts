import { type Home, type HomeCandidate, pickScouts, unitFromBytes } from "@earshot/core";
import type { ScoutFault, ScoutLink, Scouts } from "../directory/scouts.ts";
import { EdgeLink, type EdgeLinkPorts } from "./edge-link.ts";
import type { Homes } from "./homes.ts";
import { OnDemandLink } from "./on-demand-link.ts";

/** A pair of scouts sees what this device looks up: not the same for ever. Give or take a quarter. */
const CHANGE_MS = 24 * 3_600_000;
const SCOUTS = 2;
/** Those asked besides them, where they have nothing: always the same, so that few see what this device looks up. */
const FURTHER = 2;
/** There is another way: what a dead scout was asked is asked there. */
const WAIT_MS = 3_000;
/** There is none. */
const ONLY_WAIT_MS = 10_000;

export interface ScoutChoicePorts extends EdgeLinkPorts {
  readonly homes: Homes;
}

/** Who there is to choose from. */
export interface ScoutSource {
  candidates(): readonly HomeCandidate[];
  homeOf(key: string): Home | undefined;
  /** It does not answer, or does not tell the truth: not chosen for a while. */
  failed(key: string): void;
}

interface Chosen {
  readonly key: string;
  readonly link: OnDemandLink;
}

/** One or two scouts, kept for a day, and exchanged where they fail. */
export class ScoutChoice implements Scouts {
  readonly #ports: ScoutChoicePorts;
  readonly #source: ScoutSource;
  #chosen: readonly Chosen[] = [];
  /** Exchanged with them. */
  #further: readonly Chosen[] = [];
  #until = 0;
  /** No longer chosen, and perhaps still open: at most one to each supernode. */
  readonly #old = new Map<string, OnDemandLink>();

  constructor(ports: ScoutChoicePorts, source: ScoutSource) {
    this.#ports = ports;
    this.#source = source;
  }

  /** Empty where nobody is known at all. */
  links(): readonly ScoutLink[] {
    const { clock, random, homes } = this.#ports;
    const taken = homes.current.map(({ key }) => key);
    if (clock.now() >= this.#until) {
      this.#choose([]);
      this.#further = [];
    }
    const kept = this.#chosen.filter(({ key }) => !taken.includes(key));
    if (kept.length < SCOUTS) {
      const unit = () => unitFromBytes(random.bytes(4));
      const candidates = this.#source.candidates();
      const wishes = {
        count: SCOUTS,
        homes: taken,
        kept: candidates.filter(({ key }) => kept.some((each) => each.key === key)),
      };
      if (this.#chosen.length === 0) this.#until = clock.now() + CHANGE_MS * (0.75 + unit() / 2);
      const keys = pickScouts(candidates, wishes, clock.now(), unit).map(({ key }) => key);
      // Where all there are are homes, one is as good as another: the one there is stays, while it is known.
      const isKnown = this.#chosen.some(({ key }) => candidates.some((each) => each.key === key));
      if (!isKnown || keys.some((key) => !taken.includes(key))) this.#choose(keys);
    }
    return this.#chosen.map(({ link }) => link);
  }

  another(asked: readonly ScoutLink[]): ScoutLink | undefined {
    const { homes } = this.#ports;
    const taken = homes.current.map(({ key }) => key);
    const chosen = this.#chosen.map(({ key }) => key);
    const useful = this.#further.filter(({ key }) => !taken.includes(key) && !chosen.includes(key));
    const known = useful.find(({ link }) => !asked.includes(link));
    const next =
      known ??
      (useful.length < FURTHER ? this.#oneMore([...chosen, ...useful.map(({ key }) => key)], taken) : undefined);
    if (!next) return undefined;
    if (!known) this.#further = [...useful, next];
    // Open until it is idle.
    this.#old.set(next.key, next.link);
    return next.link;
  }

  #oneMore(used: readonly string[], taken: readonly string[]): Chosen | undefined {
    const { clock, random } = this.#ports;
    const candidates = this.#source.candidates();
    const kept = candidates.filter(({ key }) => used.includes(key));
    const wishes = { count: kept.length + 1, homes: taken, kept };
    const one = pickScouts(candidates, wishes, clock.now(), () => unitFromBytes(random.bytes(4)))[kept.length];
    const home = one && this.#source.homeOf(one.key);
    if (!one || !home || taken.includes(one.key)) return undefined;
    return { key: one.key, link: this.#old.get(one.key) ?? this.#linkTo(one.key, home, WAIT_MS) };
  }

  report(link: ScoutLink, _fault: ScoutFault): void {
    const further = this.#further.find((each) => each.link === link);
    if (further) {
      this.#further = this.#further.filter((each) => each !== further);
      this.#source.failed(further.key);
      return;
    }
    const bad = this.#chosen.find((each) => each.link === link);
    // Where there is nobody else it is tried again and again.
    if (!bad || this.#source.candidates().length < 2) return;
    this.#source.failed(bad.key);
    this.#choose(this.#chosen.filter((each) => each !== bad).map(({ key }) => key));
  }

  hurry(): void {
    for (const { link } of this.#chosen) link.hurry();
  }

  stop(): void {
    this.#choose([]);
    for (const link of this.#old.values()) link.stop();
  }

  /** What is no longer chosen goes on until it is idle. */
  #choose(keys: readonly string[]): void {
    const waitMs = keys.length < SCOUTS ? ONLY_WAIT_MS : WAIT_MS;
    const before = this.#chosen;
    this.#chosen = keys.flatMap((key) => {
      const known = before.find((each) => each.key === key);
      if (known) return [known];
      const old = this.#old.get(key);
      this.#old.delete(key);
      if (old) return [{ key, link: old }];
      const home = this.#source.homeOf(key);
      return home ? [{ key, link: this.#linkTo(key, home, waitMs) }] : [];
    });
    for (const { key, link } of before) if (!keys.includes(key)) this.#old.set(key, link);
  }

  #linkTo(key: string, home: Home, waitMs: number): OnDemandLink {
    const onDown = (problem: string) => {
      if (problem === "closed-by-us") return;
      this.report(link, "slow");
    };
    const onPush = ({ type }: { readonly type: string }) => {
      if (type === "drain") this.report(link, "slow");
    };
    const { homes, clock } = this.#ports;
    const options = { expectedKey: () => home.supernodeKey };
    const edge = new EdgeLink(this.#ports, () => homes.addressOf(home), { onDown, onPush }, options);
    const link: OnDemandLink = new OnDemandLink(clock, edge, waitMs, () => {
      if (this.#old.get(key) === link) this.#old.delete(key);
    });
    return link;
  }
}
