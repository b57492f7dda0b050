import { gzipSync } from "node:zlib";
import { defaultClientConditions, defineConfig, type Plugin } from "vite";

/**
 * Gzipped script at most: of the shell (everything but the SDK and core); of the first load, which is the shell and the
 * client, and has the first screen on; and of all that is fetched until one can be called. The target is the first load's.
 */
const MAX_SHELL_BYTES = 30_000;
const MAX_FIRST_LOAD_BYTES = 89_500;
const MAX_REACHABLE_BYTES = 116_000;
const TARGET_BYTES = 80_000;

/** What the client fetches while it connects, beside its own chunk. */
const WHILE_CONNECTING = ["sdk/src/wiring/later-parts.ts", "sdk/src/edge/roaming.ts"];

/** Modules that the client needs at once and shares with what comes later: as one file they compress better than as six. */
const SHARED_AT_ONCE =
  /\/core\/src\/(bytes|cbor|errors|call\/address|identity\/(card|certificate|device-list|ed25519|id)|records\/(bundle|contents|day|prekey|sizes))\.ts|\/sdk\/src\/(errors|serial-queue)\.ts|\/@noble\/hashes\/hkdf/;

const PURE_MODULES = /\/packages\/(core|sdk)\/src\/|\/node_modules\/(@noble|@scure|hpke|idb|qr)\//;

/**
 * Prints how much script each of the three is, and fails the build above a budget. What is fetched once one can be called
 * (calls, the call screen, dialogs) does not count.
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
      const chunkOf = (module: string) =>
        chunks.flatMap(({ facadeModuleId, fileName }) => (facadeModuleId?.endsWith(module) ? fileName : []));
      const client = chunkOf("client-module.ts");
      const connecting = WHILE_CONNECTING.flatMap(chunkOf);
      const shell = sizeOf(closure(entries));
      const all = sizeOf(closure([...entries, ...client]));
      const reachable = sizeOf(closure([...entries, ...client, ...connecting]));
      this.info(`shell: ${kilobytes(shell)} of gzipped script (at most ${kilobytes(MAX_SHELL_BYTES)})`);
      this.info(
        `first load, with the client: ${kilobytes(all)} (at most ${kilobytes(MAX_FIRST_LOAD_BYTES)}, target ${kilobytes(TARGET_BYTES)})`,
      );
      this.info(`until one can be called: ${kilobytes(reachable)} (at most ${kilobytes(MAX_REACHABLE_BYTES)})`);
      if (entries.length !== 1) this.error("the app's entry was not found: nothing was measured");
      if (client.length !== 1) this.error("the client's chunk was not found: nothing was measured");
      if (connecting.length !== WHILE_CONNECTING.length) this.error("what is fetched while connecting was not found");
      if (shell > MAX_SHELL_BYTES) this.error("the shell's script is over its budget");
      if (all > MAX_FIRST_LOAD_BYTES) this.error("the first load's script is over its budget");
      if (reachable > MAX_REACHABLE_BYTES) this.error("the script until one can be called is over its budget");
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
        output: demo ? {} : { codeSplitting: { groups: [{ name: "base", test: SHARED_AT_ONCE }] } },
        treeshake: { moduleSideEffects: (id) => !PURE_MODULES.test(id) },
      },
    },
    plugins: demo ? [] : [scriptBudget()],
  };
});
