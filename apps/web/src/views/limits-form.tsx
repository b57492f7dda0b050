/** A form of limits that a person sets before they let others use their node. */
import type { ReadonlySignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";
import { AmountField } from "./amount-field.tsx";
import { Button, Problem } from "./parts.tsx";

interface LimitsModel<Field extends string, Limits> {
  readonly fields: Readonly<Record<Field, ReadonlySignal<string>>>;
  readonly problem: ReadonlySignal<string | undefined>;
  /** Which field `problem` is about, if it is about one. */
  readonly wrong: ReadonlySignal<Field | undefined>;
  set(field: Field, text: string): void;
  /** Undefined where something is wrong. */
  read(): Limits | undefined;
}

/** What a form of limits is for, whichever they are. */
export interface LimitsQuestion<Limits> {
  readonly busy: boolean;
  /** Of the node, where the form has none of its own. */
  readonly problem: string | undefined;
  /** Of the button that allows it. */
  readonly yes: string;
  readonly no: string;
  readonly onYes: (limits: Limits) => unknown;
  readonly onNo: () => unknown;
}

interface Props<Field extends string, Limits> extends LimitsQuestion<Limits> {
  /** What the ids for tests begin with. */
  readonly name: string;
  readonly form: LimitsModel<Field, Limits>;
  readonly labels: readonly (readonly [Field, string])[];
  /** After the amounts. */
  readonly children?: ComponentChildren;
}

export function LimitsForm<Field extends string, Limits>(props: Props<Field, Limits>) {
  const { name, form, labels, busy, problem, yes, no, onYes, onNo, children } = props;
  const problemId = useId();
  const element = useRef<HTMLFormElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const chosen = form.read();
    // What is wrong stands at the end of the form, out of sight on a phone: the field itself takes the focus.
    const wrong = form.wrong.value;
    if (wrong) element.current?.querySelector<HTMLElement>(`[name=${wrong}]`)?.focus();
    if (chosen && !busy) onYes(chosen);
  };
  return (
    <form ref={element} class="lend" onSubmit={submit} noValidate data-testid={`${name}-form`}>
      {labels.map(([field, label]) => (
        <AmountField
          key={field}
          name={field}
          label={label}
          testId={`${name}-${field}`}
          value={form.fields[field].value}
          wrong={form.wrong.value === field}
          problemId={problemId}
          onInput={(text) => form.set(field, text)}
        />
      ))}
      {children}
      <div id={problemId}>
        <Problem text={form.problem.value ?? problem} testId={`${name}-problem`} />
      </div>
      <div class="row row-end">
        <Button testId={`${name}-no`} busy={busy} onClick={onNo}>
          {no}
        </Button>
        <Button kind="primary" type="submit" testId={`${name}-yes`} busy={busy}>
          {yes}
        </Button>
      </div>
    </form>
  );
}
