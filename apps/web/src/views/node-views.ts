/** The node's page, fetched when it is asked for. */
export { createNodePageModel } from "../view-models/node-page.ts";
export { NodePage } from "./node-page.tsx";
