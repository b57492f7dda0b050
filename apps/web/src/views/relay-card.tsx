/** Relaying calls, on the node's page: whether, how much, what it does now, and turning it on and off. */
import type { NodeReport } from "@earshot/core";
import { useRef, useState } from "preact/hooks";
import type { NodePageModel } from "../view-models/node-page.ts";
import { relayRows, relayTitle, relayTrouble } from "../view-models/relay-words.ts";
import { Icon } from "./icons.tsx";
import { Button, Dialog } from "./parts.tsx";
import { RelayForm, RelayMeaning } from "./relay-form.tsx";

interface Props {
  readonly report: NodeReport;
  readonly model: NodePageModel;
}

export function RelayCard({ report, model }: Props) {
  const rows = relayRows(report);
  const trouble = relayTrouble(report);
  return (
    <section class="node-card" aria-labelledby="relay-title" data-testid="node-relay">
      <RelayHeading report={report} model={model} />
      {trouble !== undefined && (
        <p class="problem" data-testid="relay-trouble">
          <Icon name="warning" />
          <span>{trouble}</span>
        </p>
      )}
      {rows.length > 0 && (
        <dl class="facts">
          {rows.flatMap(([label, value]) => [<dt key={label}>{label}</dt>, <dd key={`${label} value`}>{value}</dd>])}
        </dl>
      )}
    </section>
  );
}

function RelayHeading({ report, model }: Props) {
  const [open, setOpen] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const lending = report.relayLending;
  const close = () => setOpen(false);
  // The button is gone then, and a keyboard's place with it.
  const stop = () => model.stopRelaying().then((taken) => void (taken && heading.current?.focus()));
  return (
    <>
      <h3 id="relay-title" ref={heading} tabIndex={-1}>
        Relaying calls
      </h3>
      <p data-testid="relay-text">{relayTitle(report)}</p>
      {lending && !lending.byOperator && (
        <div class="row">
          <Button testId="node-relay-open" onClick={() => setOpen(true)}>
            {lending.given ? "Change the limits" : "Relay calls…"}
          </Button>
          {lending.given && (
            <Button testId="node-stop-relaying" busy={model.busy.value} onClick={stop}>
              Stop relaying
            </Button>
          )}
        </div>
      )}
      {open && lending && (
        <Dialog title="Relay calls" testId="relay-dialog" onClose={close}>
          <RelayMeaning />
          <RelayForm
            limits={lending.limits}
            busy={model.busy.value}
            problem={model.message.value?.bad ? model.message.value.text : undefined}
            yes={lending.given ? "Save" : "Relay calls"}
            onYes={(chosen) => model.relay(chosen).then((taken) => void (taken && close()))}
            onNo={close}
          />
        </Dialog>
      )}
    </>
  );
}
