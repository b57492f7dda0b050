import type { NodePageModel } from "../view-models/node-page.ts";
import { Mark } from "./icons.tsx";
import { NodePage } from "./node-page.tsx";

const NO_HOMES: ReadonlySet<string> = new Set();

/** The node's page on its own. */
export function OperatorView({ model }: { readonly model: NodePageModel }) {
  return (
    <main class="operator">
      <header class="side-head">
        <Mark />
        <h1>Earshot node</h1>
      </header>
      <NodePage model={model} homes={NO_HOMES} />
    </main>
  );
}
