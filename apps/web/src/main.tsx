/** The app's entry: ports from the page, the root model, the root view. */
import { render } from "preact";
import { pageAttention } from "./platform/attention.ts";
import { browserMedia } from "./platform/media-devices.ts";
import { tokenStatus } from "./platform/node-info.ts";
import { nodePort, watchPageVisible } from "./platform/node-port.ts";
import { pageClipboard, pageClock, pageDownload } from "./platform/page-ports.ts";
import { webAudioRing } from "./platform/ring.ts";
import { browserSession } from "./platform/session.ts";
import { keptToken, takeArrival, tokenKeeper } from "./platform/token.ts";
import "./style/index.css";
import { createAppModel } from "./view-models/app.ts";
import { AppView } from "./views/app-view.tsx";

const arrival = takeArrival(location, history);
const tokens = tokenKeeper(localStorage, arrival.token, tokenStatus);
const model = createAppModel({
  session: browserSession({ origin: location.origin, tokens }),
  media: browserMedia,
  ring: webAudioRing(),
  attention: pageAttention(),
  clock: pageClock,
  clipboard: pageClipboard,
  download: pageDownload,
  node: nodePort(() => keptToken(localStorage)),
  watchVisible: watchPageVisible,
});
if (arrival.card) model.offerCard(arrival.card);

// A new token or card pasted into this tab's address changes the fragment only, which loads nothing by itself.
addEventListener("hashchange", () => {
  const next = takeArrival(location, history);
  if (next.card) model.offerCard(next.card);
  if (next.token) {
    void tokens.offer(next.token).then((isNew) => {
      if (model.screen.value.kind === "blocked") void model.start();
      else if (isNew) location.reload();
    });
  }
});

/** The call that would be cut off if this page went away now. */
const liveCall = () => {
  const screen = model.screen.value;
  const call = screen.kind === "home" ? screen.model.calls.current.value : undefined;
  return call?.phase.value === "ended" ? undefined : call;
};
addEventListener("beforeunload", (event) => {
  if (liveCall()) event.preventDefault();
});
// The other side should hear of it at once instead of waiting for a connection that will not come back.
addEventListener("pagehide", () => void liveCall()?.hangUp());

const root = document.getElementById("app");
if (root) render(<AppView model={model} />, root);
void model.start();
