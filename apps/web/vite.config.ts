import { gzipSync } from "node:zlib";
import { defaultClientConditions, defineConfig, type Plugin } from "vite";

/** What the first load may take of gzipped script (docs: the web app's target). */
const MAX_SCRIPT_BYTES = 80_000;

const PURE_MODULES = /\/packages\/(core|sdk)\/src\/|\/node_modules\/(@noble|@scure|@hpke|cborg|idb|qr)\//;

/** Prints the size of the script that a first load fetches, and fails the build when it is over the budget. */
function scriptBudget(): Plugin {
  return {
    name: "script-budget",
    apply: "build",
    generateBundle(_options, bundle) {
      let total = 0;
      for (const output of Object.values(bundle)) {
        if (output.type === "chunk" && !output.isDynamicEntry) total += gzipSync(output.code, { level: 9 }).length;
      }
      this.info(
        `first load: ${(total / 1000).toFixed(1)} kB of gzipped script (at most ${MAX_SCRIPT_BYTES / 1000} kB)`,
      );
      if (total > MAX_SCRIPT_BYTES) this.warn("the first load's script is over its budget");
    },
  };
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
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: demo ? "demo.html" : "index.html",
        // Modules of ours and of the libraries below only define things: whatever is not used is left out.
        treeshake: { moduleSideEffects: (id) => !PURE_MODULES.test(id) },
      },
    },
    plugins: demo ? [] : [scriptBudget()],
  };
});
