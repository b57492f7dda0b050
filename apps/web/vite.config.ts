import { gzipSync } from "node:zlib";
import { defaultClientConditions, defineConfig, type Plugin } from "vite";

/**
 * Gzipped script: what the shell may take (everything but the SDK and core), and both together: at most, and the target.
 * The overlay's part of the SDK (homes, records at four places, descriptors) took the whole over the earlier 95 kB.
 */
const MAX_SHELL_BYTES = 30_000;
const MAX_FIRST_LOAD_BYTES = 110_000;
const TARGET_BYTES = 80_000;

const PURE_MODULES = /\/packages\/(core|sdk)\/src\/|\/node_modules\/(@noble|@scure|hpke|idb|qr)\//;

/**
 * Prints how much script the shell is, and how much a first load fetches until the app is online; either fails the build
 * above its budget. What is fetched right after that (calls, the call screen, dialogs) does not count.
 */
function scriptBudget(): Plugin {
  return {
    name: "script-budget",
    apply: "build",
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((output) => output.type === "chunk");
      const sizeOf = (names: Iterable<string>) =>
        [...names].reduce((sum, name) => {
          const chunk = chunks.find(({ fileName }) => fileName === name);
          return sum + (chunk ? gzipSync(chunk.code, { level: 9 }).length : 0);
        }, 0);
      const closure = (start: readonly string[]) => {
        const names = new Set(start);
        for (const name of names) {
          for (const next of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) names.add(next);
        }
        return names;
      };
      const entries = chunks
        .filter(({ isEntry, facadeModuleId }) => isEntry && facadeModuleId?.endsWith("index.html"))
        .map(({ fileName }) => fileName);
      const client = chunks.filter(({ facadeModuleId }) => facadeModuleId?.endsWith("client-module.ts"));
      const shell = sizeOf(closure(entries));
      const all = sizeOf(closure([...entries, ...client.map(({ fileName }) => fileName)]));
      this.info(`shell: ${kilobytes(shell)} of gzipped script (at most ${kilobytes(MAX_SHELL_BYTES)})`);
      this.info(
        `first load, with the client: ${kilobytes(all)} (at most ${kilobytes(MAX_FIRST_LOAD_BYTES)}, target ${kilobytes(TARGET_BYTES)})`,
      );
      if (entries.length !== 1) this.error("the app's entry was not found: nothing was measured");
      if (client.length !== 1) this.error("the client's chunk was not found: nothing was measured");
      if (shell > MAX_SHELL_BYTES) this.error("the shell's script is over its budget");
      if (all > MAX_FIRST_LOAD_BYTES) this.error("the first load's script is over its budget");
    },
  };
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

/** `vite build apps/web` makes the app; `--mode demo` makes the scripted screens that are looked at and checked. */
export default defineConfig(({ mode }) => {
  const demo = mode === "demo";
  return {
    resolve: { conditions: ["earshot-source", ...defaultClientConditions] },
    build: {
      outDir: demo ? "test-results/demo" : "dist",
      emptyOutDir: true,
      target: "es2023",
      // The content policy allows neither inline scripts nor data: in fonts or styles.
      assetsInlineLimit: 0,
      modulePreload: false,
      rolldownOptions: {
        input: demo ? "demo.html" : ["index.html", "node.html"],
        // Modules of ours and of the libraries below only define things: whatever is not used is left out.
        treeshake: { moduleSideEffects: (id) => !PURE_MODULES.test(id) },
      },
    },
    plugins: demo ? [] : [scriptBudget()],
  };
});
