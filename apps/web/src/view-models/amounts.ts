/** Numbers that a person types, each within bounds: a slip of the finger is not a limit. */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";

export interface AmountBounds {
  /** In units. */
  readonly min: number;
  readonly max: number;
  /** What one of them stands for: bytes, or 1 of what is counted. */
  readonly unit: number;
  /** The field's name in a sentence. */
  readonly what: string;
}

export interface AmountsModel<Field extends string> {
  /** As typed. */
  readonly fields: Readonly<Record<Field, ReadonlySignal<string>>>;
  /** The first that holds no such number. */
  readonly wrong: ReadonlySignal<Field | undefined>;
  set(field: Field, text: string): void;
  /** A whole number; or the sentence that says what is wrong with it. */
  valueOf(field: Field): number | string;
}

/** `initial`: whole numbers, in bytes or in what is counted. */
export function createAmounts<Field extends string>(
  bounds: Readonly<Record<Field, AmountBounds>>,
  initial: Readonly<Record<Field, number>>,
): AmountsModel<Field> {
  const names = Object.keys(bounds) as Field[];
  const entries = names.map((name) => [name, signal(numberText(initial[name] / bounds[name].unit))] as const);
  const fields = Object.fromEntries(entries) as Record<Field, Signal<string>>;
  const valueOf = (field: Field) => amountOf(bounds[field], fields[field].value);
  return {
    fields,
    wrong: computed(() => names.find((name) => typeof valueOf(name) === "string")),
    set: (field, text) => {
      fields[field].value = text;
    },
    valueOf,
  };
}

function amountOf({ min, max, unit, what }: AmountBounds, text: string): number | string {
  const typed = Number(text.trim().replace(",", "."));
  if (text.trim() === "" || !Number.isFinite(typed) || typed < min || typed > max)
    return `${what}: a number from ${min} to ${max}, please.`;
  return Math.round(typed * unit);
}

function numberText(value: number): string {
  return String(Number(value.toFixed(2)));
}
