/** The node's own page for an operator: `/node.html#token=…`. Needs no account, and nothing of the SDK. */
import { render } from "preact";
import { nodePort, watchPageVisible } from "./platform/node-port.ts";
import { pageClock } from "./platform/page-ports.ts";
import { keptToken, takeArrival } from "./platform/token.ts";
import "./style/index.css";
import { createNodePageModel } from "./view-models/node-page.ts";
import { OperatorView } from "./views/operator-view.tsx";

const TAB_TOKEN_KEY = "earshot.node-token";

// An operator's token stays in this tab; on one's own machine the app has kept it already.
const take = () => {
  const { token } = takeArrival(location, history);
  if (token) sessionStorage.setItem(TAB_TOKEN_KEY, token);
};
take();
const tokenNow = () => sessionStorage.getItem(TAB_TOKEN_KEY) ?? keptToken(localStorage);
addEventListener("hashchange", () => {
  take();
  location.reload();
});

const model = createNodePageModel({ node: nodePort(tokenNow), clock: pageClock, watchVisible: watchPageVisible });
const root = document.getElementById("app");
if (root) render(<OperatorView model={model} />, root);
