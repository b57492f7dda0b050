/** The node's own page: what it does for others and why, how it fares, who is around it, and what it can see. */
import type { NodeReport } from "@earshot/core";
import { useRef, useState } from "preact/hooks";
import type { NodePageModel } from "../view-models/node-page.ts";
import {
  consentText,
  criteriaInOrder,
  criteriaSummary,
  criterionState,
  criterionText,
  type CriterionState,
  gauges,
  loadRows,
  networkText,
  roleMeaning,
  roleTitle,
} from "../view-models/node-words.ts";
import { portMappingText } from "../view-models/port-mapping-words.ts";
import { countText } from "../view-models/quantities.ts";
import { Icon, type IconName } from "./icons.tsx";
import { LendForm, LendMeaning } from "./lend-form.tsx";
import { Button, Dialog, Problem } from "./parts.tsx";
import { RelayCard } from "./relay-card.tsx";
import { SupernodeMap } from "./supernode-map.tsx";

interface Props {
  readonly model: NodePageModel;
  /** Keys of the client's own homes, for the map. */
  readonly homes: ReadonlySet<string>;
}

/** All of it, or why it is not there. */
export function NodePage({ model, homes }: Props) {
  const report = model.report.value;
  const message = model.message.value;
  return (
    <div class="node" data-testid="node-page" data-role={report?.role} data-state={report?.roleState}>
      <Problem text={model.problem.value} testId="node-problem" />
      <div role="status">
        {message && (
          <p class={message.bad ? "problem" : "done"} data-testid="node-message">
            {message.text}
          </p>
        )}
      </div>
      {report === undefined ? (
        !model.problem.value && <p class="soft">Asking the node…</p>
      ) : (
        <>
          <Role report={report} />
          <div class="node-stack">
            <Lending report={report} model={model} />
            {(report.relay !== null || report.relayLending !== null) && <RelayCard report={report} model={model} />}
          </div>
          <Criteria report={report} />
          <Capacity report={report} />
          <section class="node-card node-wide" aria-labelledby="map-title">
            <h3 id="map-title">Supernodes it knows</h3>
            <SupernodeMap neighbours={report.neighbours} homes={homes} />
          </section>
          <Sees report={report} />
          <Refusals report={report} />
        </>
      )}
    </div>
  );
}

function Role({ report }: { readonly report: NodeReport }) {
  const router = portMappingText(report);
  return (
    <section class="node-card" aria-labelledby="role-title">
      <h3 id="role-title" data-testid="node-role">
        {roleTitle(report)}
      </h3>
      <p>{roleMeaning(report)}</p>
      <p data-testid="role-reason">
        <strong>Why:</strong> {report.roleReason}
      </p>
      <dl class="facts">
        <dt>Network</dt>
        <dd data-testid="node-network">{networkText(report)}</dd>
        {report.network.dhtAddress !== "" && (
          <>
            <dt>Address</dt>
            <dd class="mono break">
              {report.network.dhtAddress} {report.network.publicAddress ? "" : "(not public)"}
            </dd>
          </>
        )}
        {router !== undefined && (
          <>
            <dt>Router</dt>
            <dd data-testid="node-router">{router}</dd>
          </>
        )}
        {report.operator !== "" && (
          <>
            <dt>Operator</dt>
            <dd>{report.operator}</dd>
          </>
        )}
        <dt>Key</dt>
        <dd class="mono break small">{report.supernodeKey}</dd>
      </dl>
    </section>
  );
}

interface LendingProps {
  readonly report: NodeReport;
  readonly model: NodePageModel;
}

function Lending({ report, model }: LendingProps) {
  const [open, setOpen] = useState<"lend" | "step-down" | undefined>(undefined);
  const close = () => setOpen(undefined);
  const { given, limits } = report.consent;
  const serving = report.role !== "client" && report.roleState === "serving";
  const heading = useRef<HTMLHeadingElement>(null);
  const then = (act: Promise<boolean>) => act.then((taken) => void (taken && close()));
  // The button is gone then, and a keyboard's place with it.
  const stopLending = () => model.stopLending().then((taken) => void (taken && heading.current?.focus()));
  return (
    <section class="node-card" aria-labelledby="lending-title">
      <h3 id="lending-title" ref={heading} tabIndex={-1}>
        Lending it
      </h3>
      <p data-testid="consent-text">{consentText(report)}</p>
      <div class="row">
        {report.role !== "dedicated" && (
          <Button testId="node-lend" onClick={() => setOpen("lend")}>
            {given ? "Change the limits" : "Lend it…"}
          </Button>
        )}
        {given && report.role !== "dedicated" && (
          <Button testId="node-stop-lending" busy={model.busy.value} onClick={stopLending}>
            Stop lending
          </Button>
        )}
        {serving && (
          <Button testId="node-step-down" onClick={() => setOpen("step-down")}>
            Step down…
          </Button>
        )}
      </div>
      {open === "lend" && (
        <Dialog title="Lend your node" testId="lend-dialog" onClose={close}>
          <LendMeaning />
          <LendForm
            limits={limits}
            busy={model.busy.value}
            problem={model.message.value?.bad ? model.message.value.text : undefined}
            yes={given ? "Save" : "Lend my node"}
            no="Cancel"
            onYes={(chosen) => then(model.lend(chosen))}
            onNo={close}
          />
        </Dialog>
      )}
      {open === "step-down" && (
        <StepDownDialog report={report} model={model} onClose={close} onYes={() => then(model.stepDown())} />
      )}
    </section>
  );
}

interface StepDownProps extends LendingProps {
  readonly onClose: () => void;
  readonly onYes: () => unknown;
}

function StepDownDialog({ report, model, onClose, onYes }: StepDownProps) {
  return (
    <Dialog title="Step down now?" testId="step-down-dialog" onClose={onClose}>
      <p>
        The {countText(report.capacity.clients)} people whose mailboxes are here move to other supernodes first; calls
        that are under way go on.{" "}
        {report.role === "dedicated"
          ? "It serves nobody until it is started anew."
          : "It may be promoted again later, unless you also stop lending it."}
      </p>
      <div class="row row-end">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="primary" testId="step-down-yes" busy={model.busy.value} onClick={onYes}>
          Step down
        </Button>
      </div>
    </Dialog>
  );
}

const CRITERION_ICONS: Readonly<Record<CriterionState, IconName>> = {
  met: "check",
  "not-met": "close",
  "not-measured": "wait",
};

function Criteria({ report }: { readonly report: NodeReport }) {
  const { criteria } = report;
  if (criteria.length === 0) return null;
  return (
    <section class="node-card node-wide" aria-labelledby="criteria-title">
      <h3 id="criteria-title">What a supernode must show</h3>
      <p class="soft">{criteriaSummary(criteria)}</p>
      <ul class="criteria" data-testid="criteria">
        {criteriaInOrder(criteria).map((criterion) => {
          const state = criterionState(criterion);
          return (
            <li key={criterion.name} class={`criterion criterion-${state}`} data-criterion={criterion.name}>
              <Icon name={CRITERION_ICONS[state]} />
              <div>
                <p>
                  <strong>{criterion.label}</strong>
                </p>
                <p class="small">{criterionText(criterion)}</p>
                {criterion.needed && <p class="small soft">Needed: {criterion.needed}</p>}
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Capacity({ report }: { readonly report: NodeReport }) {
  return (
    <>
      <section class="node-card" aria-labelledby="limits-title">
        <h3 id="limits-title">How full it is</h3>
        <dl class="gauges">
          {gauges(report).map((gauge) => (
            <div key={gauge.name} class="gauge">
              <dt>{gauge.label}</dt>
              <dd>{gauge.text}</dd>
              <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                <rect class="gauge-ground" width="100" height="4" />
                <rect class="gauge-fill" width={gauge.max === 0 ? 0 : (100 * gauge.value) / gauge.max} height="4" />
              </svg>
            </div>
          ))}
        </dl>
      </section>
      <section class="node-card" aria-labelledby="load-title">
        <h3 id="load-title">What it has done</h3>
        <dl class="facts facts-numbers">
          {loadRows(report).flatMap(([label, value]) => [
            <dt key={label}>{label}</dt>,
            <dd key={`${label} value`}>{value}</dd>,
          ])}
        </dl>
      </section>
    </>
  );
}

function Sees({ report }: { readonly report: NodeReport }) {
  const { can, cannot } = report.sees;
  if (can.length + cannot.length === 0) return null;
  return (
    <section class="node-card node-wide" aria-labelledby="sees-title" data-testid="sees">
      <h3 id="sees-title">What it sees of the people it serves</h3>
      <div class="node-halves">
        <div>
          <h4>It can see</h4>
          <ul class="plain-list">
            {can.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </div>
        <div>
          <h4>It cannot see</h4>
          <ul class="plain-list">
            {cannot.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </div>
      </div>
    </section>
  );
}

function Refusals({ report }: { readonly report: NodeReport }) {
  if (report.refusals.length === 0) return null;
  return (
    <section class="node-card node-wide" aria-labelledby="refusals-title">
      <h3 id="refusals-title">Refused</h3>
      <p class="soft">What others sent and did not pass the checks, by its code in the protocol.</p>
      <dl class="facts facts-numbers">
        {report.refusals.flatMap(([code, count]) => [
          <dt key={code} class="mono">
            {code}
          </dt>,
          <dd key={`${code} count`}>{countText(count)}</dd>,
        ])}
      </dl>
    </section>
  );
}
