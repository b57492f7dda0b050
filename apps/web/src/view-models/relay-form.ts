/** Letting the node relay calls: the limits as typed, and what is wrong with them. */
import type { RelayLimits } from "@earshot/core";
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { createAmounts } from "./amounts.ts";

const BOUNDS = {
  ends: { min: 1, max: 400, unit: 1, what: "Ends of calls" },
  megabytesPerSecond: { min: 0.02, max: 10_000, unit: 1_000_000, what: "Bandwidth" },
} as const;

export type RelayField = keyof typeof BOUNDS;

export interface RelayFormModel {
  readonly fields: Readonly<Record<RelayField, ReadonlySignal<string>>>;
  readonly problem: ReadonlySignal<string | undefined>;
  /** Which field `problem` is about. */
  readonly wrong: ReadonlySignal<RelayField | undefined>;
  set(field: RelayField, text: string): void;
  /** The limits, or undefined where something is wrong (see `problem`). */
  read(): RelayLimits | undefined;
}

/** Starts from `limits`: what holds now, or the defaults that the node proposes. */
export function createRelayForm(limits: RelayLimits): RelayFormModel {
  const { fields, wrong, set, valueOf } = createAmounts(BOUNDS, {
    ends: limits.maxAllocations,
    megabytesPerSecond: limits.maxBytesPerSecond,
  });
  const tried = signal(false);
  const shown = computed(() => (tried.value ? wrong.value : undefined));
  return {
    fields,
    problem: computed(() => shown.value && String(valueOf(shown.value))),
    wrong: shown,
    set,
    read: () => {
      tried.value = true;
      if (wrong.value !== undefined) return undefined;
      return { maxAllocations: Number(valueOf("ends")), maxBytesPerSecond: Number(valueOf("megabytesPerSecond")) };
    },
  };
}
