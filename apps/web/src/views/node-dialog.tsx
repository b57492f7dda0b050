/** The node's own page over the contact list. */
import { useEffect, useMemo, useState } from "preact/hooks";
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
  const { client } = home.later;
  const [homes, setHomes] = useState(client.status.homes ?? []);
  const keys = homes.map(({ key }) => key);
  const set = useMemo(() => new Set(keys), [keys.join()]);
  useEffect(() => client.on("status", (status) => setHomes(status.homes ?? [])), []);
  useEffect(() => () => model.dispose(), []);
  return <views.NodePage model={model} homes={set} />;
}
