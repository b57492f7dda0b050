import { useEffect } from "preact/hooks";
import type { NodePageModel } from "../view-models/node-page.ts";
import { nodeName } from "../view-models/node-words.ts";
import { Mark } from "./icons.tsx";
import { NodePage } from "./node-page.tsx";

const NO_HOMES: ReadonlySet<string> = new Set();

/** The node's page on its own; the tab's title tells one node from another. */
export function OperatorView({ model }: { readonly model: NodePageModel }) {
  const report = model.report.value;
  const name = report && nodeName(report);
  useEffect(() => {
    if (name !== undefined) document.title = `${name} · Earshot`;
  }, [name]);
  return (
    <main class="operator">
      <header class="side-head">
        <Mark />
        <div class="side-who">
          <h1>Earshot node</h1>
          {name !== undefined && <h2 class="soft break">{name}</h2>}
        </div>
      </header>
      <NodePage model={model} homes={NO_HOMES} />
    </main>
  );
}
