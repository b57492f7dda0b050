interface Props {
  readonly name: string;
  readonly label: string;
  readonly testId: string;
  readonly value: string;
  readonly wrong: boolean;
  /** Of the element that tells what is wrong. */
  readonly problemId: string;
  readonly onInput: (text: string) => unknown;
}

/** One number in a form of limits. */
export function AmountField({ name, label, testId, value, wrong, problemId, onInput }: Props) {
  return (
    <label class="field field-row">
      <span class="label">{label}</span>
      <input
        type="text"
        name={name}
        inputMode="decimal"
        aria-invalid={wrong || undefined}
        aria-describedby={wrong ? problemId : undefined}
        autocomplete="off"
        data-testid={testId}
        value={value}
        onInput={(event) => void onInput(event.currentTarget.value)}
      />
    </label>
  );
}
