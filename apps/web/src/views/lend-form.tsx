/** "Lend my node?": what it means, and the limits. */
import type { ConsentLimits } from "@earshot/core";
import { useId, useRef, useState } from "preact/hooks";
import { type ConsentField, createConsentForm, type ConsentFormModel } from "../view-models/consent-form.ts";
import { AmountField } from "./amount-field.tsx";
import { Button, Problem } from "./parts.tsx";

interface Props {
  /** What stands in the fields first. */
  readonly limits: ConsentLimits;
  readonly busy: boolean;
  readonly problem: string | undefined;
  /** "Lend my node", or "Save" where it is lent already. */
  readonly yes: string;
  readonly no: string;
  readonly onYes: (limits: ConsentLimits) => unknown;
  readonly onNo: () => unknown;
}

const FIELDS: readonly (readonly [ConsentField, string])[] = [
  ["clients", "People at most"],
  ["megabytesPerSecond", "Bandwidth at most, MB a second"],
  ["megabytes", "Storage at most, MB"],
];

/** The form; the node judges whether it is fit. */
export function LendForm({ limits, busy, problem, yes, no, onYes, onNo }: Props) {
  const [form] = useState(() => createConsentForm(limits));
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
    <form ref={element} class="lend" onSubmit={submit} noValidate data-testid="lend-form">
      {FIELDS.map(([field, label]) => (
        <AmountField
          key={field}
          name={field}
          label={label}
          testId={`lend-${field}`}
          value={form.fields[field].value}
          wrong={form.wrong.value === field}
          problemId={problemId}
          onInput={(text) => form.set(field, text)}
        />
      ))}
      <Hours form={form} />
      <div id={problemId}>
        <Problem text={form.problem.value ?? problem} testId="lend-problem" />
      </div>
      <div class="row row-end">
        <Button testId="lend-no" busy={busy} onClick={onNo}>
          {no}
        </Button>
        <Button kind="primary" type="submit" testId="lend-yes" busy={busy}>
          {yes}
        </Button>
      </div>
    </form>
  );
}

/** What lending means, before anybody says yes. */
export function LendMeaning() {
  return (
    <>
      <p>
        People’s own computers make this network work. If yours is reachable and has capacity to spare, it can keep
        other people’s mailboxes and pass their sealed messages on.
      </p>
      <ul class="plain-list">
        <li>It carries no calls for this: sound and picture go straight between the people who talk.</li>
        <li>It cannot read what it passes on. It sees network addresses, times and sizes.</li>
        <li>It asks your router to let others in, for as long as you lend it.</li>
        <li>It is used only within your limits, and only when the network needs it. You can stop at any time.</li>
      </ul>
    </>
  );
}

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

function Hours({ form }: { readonly form: ConsentFormModel }) {
  const { always, fromHour, toHour } = form;
  return (
    <fieldset class="field lend-hours">
      <legend class="label">Hours</legend>
      <label class="choice">
        <input
          type="radio"
          name="lend-hours"
          data-testid="lend-always"
          checked={always.value}
          onChange={() => form.setAlways(true)}
        />
        At any hour
      </label>
      <label class="choice">
        <input
          type="radio"
          name="lend-hours"
          data-testid="lend-some-hours"
          checked={!always.value}
          onChange={() => form.setAlways(false)}
        />
        Only from
        <HourSelect label="From" value={fromHour.value} onChoose={(hour) => form.setHours(hour, toHour.value)} />
        to
        <HourSelect label="To" value={toHour.value} onChoose={(hour) => form.setHours(fromHour.value, hour)} />
      </label>
    </fieldset>
  );
}

interface HourProps {
  readonly label: string;
  readonly value: number;
  readonly onChoose: (hour: number) => void;
}

function HourSelect({ label, value, onChoose }: HourProps) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChoose(Number(event.currentTarget.value))}>
      {HOURS.map((hour) => (
        <option key={hour} value={hour}>
          {hour}:00
        </option>
      ))}
    </select>
  );
}
