/** The node's own page over the contact list. */
import { useEffect, useState } from "preact/hooks";
import type { HomeModel } from "../view-models/home.ts";
import { laterModule } from "./later.tsx";
import type * as NodeViews from "./node-views.ts";
import { Dialog, Problem } from "./parts.tsx";

const { Later } = laterModule<typeof NodeViews>(() => import("./node-views.ts"));

/** Fetches the page's script, then follows the node while it is open. */
export function NodeDialog({ home, onClose }: { readonly home: HomeModel; readonly onClose: () => void }) {
  return (
    <Dialog title="Your node" testId="node-dialog" wide onClose={onClose}>
      <Later meanwhile={(problem) => (problem ? <Problem text={problem} /> : <p class="soft">Fetching…</p>)}>
        {(views) => <Followed views={views} home={home} />}
      </Later>
    </Dialog>
  );
}

function Followed({ views, home }: { readonly views: typeof NodeViews; readonly home: HomeModel }) {
  const [model] = useState(() => views.createNodePageModel(home.later));
  const [homes] = useState(() => new Set((home.later.client.status.homes ?? []).map(({ key }) => key)));
  useEffect(() => () => model.dispose(), []);
  return <views.NodePage model={model} homes={homes} />;
}
