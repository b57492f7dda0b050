/** The demo's entry: `demo.html?scene=<name>` shows one screen, driven by a script. Never part of the app's build. */
import { render } from "preact";
import "../style/index.css";
import { createAppModel } from "../view-models/app.ts";
import { createNodePageModel } from "../view-models/node-page.ts";
import { AppView } from "../views/app-view.tsx";
import { OperatorView } from "../views/operator-view.tsx";
import { drawnPicture } from "./drawn-picture.ts";
import { appears } from "./people.ts";
import { type Scene, SCENES } from "./scenes.ts";
import { scriptedPlatform, scriptedTrack } from "./scripted-platform.ts";

const root = document.getElementById("app");
const name = new URLSearchParams(location.search).get("scene");
const scene = name === null ? undefined : SCENES[name];

if (root) await (scene === undefined ? renderIndex(root) : renderScene(root, scene));
document.documentElement.dataset["ready"] = "yes";

async function renderScene(where: HTMLElement, { operator, before, then }: Scene): Promise<void> {
  const platform = scriptedPlatform((kind) => (kind === "video" ? drawnPicture("own") : scriptedTrack(kind)));
  const stage = { platform, picture: () => drawnPicture("theirs") };
  if (operator) {
    before?.(stage);
    render(<OperatorView model={createNodePageModel(platform)} />, where);
    return appears("[data-testid=node-page] .node-card, [data-testid=node-problem] p");
  }
  const model = createAppModel(platform);
  render(<AppView model={model} />, where);
  before?.(stage);
  await model.start();
  if (model.screen.value.kind === "home") await then?.(stage, model.screen.value.model);
}

/** Without a scene: all of them, to click through. */
function renderIndex(where: HTMLElement): void {
  const links = Object.keys(SCENES).map((scene) => (
    <li key={scene}>
      <a data-scene={scene} href={`?scene=${scene}`}>
        {scene}
      </a>
    </li>
  ));
  render(
    <main class="centre">
      <h1>Scenes</h1>
      <ul>{links}</ul>
    </main>,
    where,
  );
}
