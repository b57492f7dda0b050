/** The demo's entry: `demo.html?scene=<name>` shows one screen, driven by a script. Never part of the app's build. */
import { render } from "preact";
import "../style/index.css";
import { createAppModel } from "../view-models/app.ts";
import { AppView } from "../views/app-view.tsx";
import { drawnPicture } from "./drawn-picture.ts";
import { SCENES } from "./scenes.ts";
import { scriptedPlatform, scriptedTrack } from "./scripted-platform.ts";

const scene = SCENES[new URLSearchParams(location.search).get("scene") ?? "home"];
const platform = scriptedPlatform((kind) => (kind === "video" ? drawnPicture("own") : scriptedTrack(kind)));
const stage = { platform, picture: () => drawnPicture("theirs") };
const model = createAppModel(platform);
const root = document.getElementById("app");
if (root) render(<AppView model={model} />, root);

scene?.before?.(stage);
await model.start();
if (model.screen.value.kind === "home") await scene?.then?.(stage, model.screen.value.model);
document.documentElement.dataset["ready"] = "yes";
