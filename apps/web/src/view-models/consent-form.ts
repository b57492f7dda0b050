/** Lending the node: the limits as typed, and what is wrong with them. */
import type { ConsentLimits } from "@earshot/core";
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { createAmounts } from "./amounts.ts";
import { isAlways } from "./node-words.ts";

const MEGABYTE = 1_000_000;
const LAST_HOUR = 24;

const BOUNDS = {
  clients: { min: 1, max: 100_000, unit: 1, what: "People" },
  megabytesPerSecond: { min: 0.05, max: 10_000, unit: MEGABYTE, what: "Bandwidth" },
  megabytes: { min: 1, max: 10_000_000, unit: MEGABYTE, what: "Storage" },
} as const;

export type ConsentField = keyof typeof BOUNDS;

export interface ConsentFormModel {
  readonly fields: Readonly<Record<ConsentField, ReadonlySignal<string>>>;
  readonly always: ReadonlySignal<boolean>;
  readonly fromHour: ReadonlySignal<number>;
  readonly toHour: ReadonlySignal<number>;
  readonly problem: ReadonlySignal<string | undefined>;
  /** Which field `problem` is about; none where it is the hours. */
  readonly wrong: ReadonlySignal<ConsentField | undefined>;
  set(field: ConsentField, text: string): void;
  setAlways(always: boolean): void;
  setHours(fromHour: number, toHour: number): void;
  /** The limits, or undefined where something is wrong (see `problem`). */
  read(): ConsentLimits | undefined;
}

/** Starts from `limits`: what holds now, or the defaults that the node proposes. */
export function createConsentForm(limits: ConsentLimits): ConsentFormModel {
  const amounts = createAmounts(BOUNDS, {
    clients: limits.maxClients,
    megabytesPerSecond: limits.maxBytesPerSecond,
    megabytes: limits.maxStoreBytes,
  });
  const { fields, wrong, set, valueOf } = amounts;
  const wasAlways = isAlways(limits.fromHour, limits.toHour);
  const always = signal(wasAlways);
  const fromHour = signal(wasAlways ? 22 : limits.fromHour);
  const toHour = signal(wasAlways ? 7 : limits.toHour);
  const tried = signal(false);
  const found = computed(() => {
    const field = wrong.value;
    if (field !== undefined) return String(valueOf(field));
    return !always.value && fromHour.value === toHour.value
      ? "Hours: choose an end that is not the beginning, or “At any hour”."
      : undefined;
  });
  return {
    fields,
    always,
    fromHour,
    toHour,
    problem: computed(() => (tried.value ? found.value : undefined)),
    wrong: computed(() => (tried.value ? wrong.value : undefined)),
    set,
    setAlways: (next) => {
      always.value = next;
    },
    setHours: (from, to) => {
      fromHour.value = from;
      toHour.value = to;
    },
    read: () => {
      tried.value = true;
      if (found.value !== undefined) return undefined;
      return {
        maxClients: Number(valueOf("clients")),
        maxBytesPerSecond: Number(valueOf("megabytesPerSecond")),
        maxStoreBytes: Number(valueOf("megabytes")),
        fromHour: always.value ? 0 : fromHour.value,
        toHour: always.value ? LAST_HOUR : toHour.value,
      };
    },
  };
}
