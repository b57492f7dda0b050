/** How the programs of this folder are run: from the sources, or, with EARSHOT_BUILT=1, as `npm test` built them, which start in a third of the time. */
import { fileURLToPath } from "node:url";

/** Arguments of Node; the program's own come after them. */
export function testProgram(name: string): string[] {
  if (process.env.EARSHOT_BUILT === "1") return [pathOf(`../../dist/testing/${name}.js`)];
  return ["--import", "tsx", "--conditions=earshot-source", pathOf(`${name}.ts`)];
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
