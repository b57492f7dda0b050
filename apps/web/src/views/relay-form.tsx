/** "Relay calls?": what it means, and the limits. */
import type { RelayLimits } from "@earshot/core";
import { useState } from "preact/hooks";
import { createRelayForm, type RelayField } from "../view-models/relay-form.ts";
import { LimitsForm, type LimitsQuestion } from "./limits-form.tsx";

/** What relaying means, before anybody says yes. */
export function RelayMeaning() {
  return (
    <>
      <p>
        About one call in five finds no direct path. If others can reach your node, it can pass such calls on. This is
        apart from lending it as a supernode.
      </p>
      <ul class="plain-list">
        <li>
          Others’ calls then pass through your connection, encrypted. Your node sees the addresses of both ends, when
          they talk and how much; never voices, and not who they are.
        </li>
        <li>A voice call takes some 12 kB a second of your connection each way, one with pictures up to 450.</li>
        <li>
          It is used where both people’s settings allow it, and both see the name that its operator gives, if any.
        </li>
        <li>
          It asks your router to let others in, for as long as you allow it. Behind one, it has room for 16 ends of
          calls at once.
        </li>
        <li>You can turn it off at any time. Calls that pass through it then look for another way.</li>
      </ul>
    </>
  );
}

interface Props extends Omit<LimitsQuestion<RelayLimits>, "no"> {
  /** What stands in the fields first. */
  readonly limits: RelayLimits;
}

const FIELDS: readonly (readonly [RelayField, string])[] = [
  ["ends", "Ends of calls at once, at most"],
  ["megabytesPerSecond", "Bandwidth at most, MB a second"],
];

export function RelayForm({ limits, ...rest }: Props) {
  const [form] = useState(() => createRelayForm(limits));
  return <LimitsForm name="relay" form={form} labels={FIELDS} no="Cancel" {...rest} />;
}
