/** Relays and hidden addresses, in the settings. */
import { useId, useState } from "preact/hooks";
import { createCallPrivacyModel, HIDE_CHOICES, RELAY_CHOICES } from "../view-models/call-privacy.ts";
import type { HomeModel } from "../view-models/home.ts";
import { DataUse } from "./data-use.tsx";
import { Problem } from "./parts.tsx";

/** Each choice holds the moment it is made. */
export function CallPrivacySection({ home }: { readonly home: HomeModel }) {
  const [model] = useState(() => createCallPrivacyModel(home.later.client));
  const settings = model.settings.value;
  return (
    <section aria-labelledby="call-privacy-title" data-testid="call-privacy">
      <h3 id="call-privacy-title">How your calls travel</h3>
      <p class="soft">
        Calls go straight from device to device. Where no direct path is found, a relay can pass the encrypted packets
        on: it cannot read them, but sees both addresses, when you talk and how much. It is used only if the other side
        allows it too, and both of you see who runs it.
      </p>
      {settings && (
        <>
          <Choice
            legend="Relays that may carry your calls"
            choices={RELAY_CHOICES}
            chosen={settings.relayConsent}
            onChoose={(relayConsent) => model.choose({ relayConsent })}
          />
          <Choice
            legend="Hide this device’s address"
            choices={HIDE_CHOICES}
            chosen={settings.hideAddress}
            onChoose={(hideAddress) => model.choose({ hideAddress })}
          />
          <p class="soft small">
            A direct call shows each of you the other’s network address. Hidden, the call always goes through a relay,
            which sees yours in the other side’s place; it may sound worse.
          </p>
        </>
      )}
      <div role="status">
        <Problem text={model.problem.value ?? model.conflict.value} testId="call-privacy-problem" />
      </div>
      {settings && <DataUse lowData={settings.lowData} onChange={(lowData) => model.choose({ lowData })} />}
    </section>
  );
}

interface ChoiceProps<T extends string> {
  readonly legend: string;
  readonly choices: readonly (readonly [T, string])[];
  readonly chosen: T;
  readonly onChoose: (value: T) => unknown;
}

function Choice<T extends string>({ legend, choices, chosen, onChoose }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="field lend-hours">
      <legend class="label">{legend}</legend>
      {choices.map(([value, words]) => (
        <label key={value} class="choice choice-line">
          <input
            type="radio"
            name={name}
            data-testid={`choose-${value}`}
            checked={value === chosen}
            onChange={() => void onChoose(value)}
          />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}
