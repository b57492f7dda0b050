/** "Lend my node?": what it means, and the limits. */
import type { ConsentLimits } from "@earshot/core";
import { useState } from "preact/hooks";
import { type ConsentField, createConsentForm, type ConsentFormModel } from "../view-models/consent-form.ts";
import { LimitsForm, type LimitsQuestion } from "./limits-form.tsx";

interface Props extends LimitsQuestion<ConsentLimits> {
  /** What stands in the fields first. */
  readonly limits: ConsentLimits;
}

const FIELDS: readonly (readonly [ConsentField, string])[] = [
  ["clients", "People at most"],
  ["megabytesPerSecond", "Bandwidth at most, MB a second"],
  ["megabytes", "Storage at most, MB"],
];

/** The form; the node judges whether it is fit. */
export function LendForm({ limits, ...rest }: Props) {
  const [form] = useState(() => createConsentForm(limits));
  return (
    <LimitsForm name="lend" form={form} labels={FIELDS} {...rest}>
      <Hours form={form} />
    </LimitsForm>
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
