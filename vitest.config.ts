import { existsSync } from "node:fs";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

const conditions = ["earshot-source", "node", "import", "default"];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } } };
/** What is waited for comes at once on an idle machine, and within this on a busy one. */
const expectLater = { poll: { timeout: 10_000 } };
const notTests = ["**/node_modules/**", "**/dist/**"];

/** The first Chromium there is: the one named, or the system's. */
const chromium = [
  process.env.EARSHOT_CHROMIUM ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== "" && existsSync(path));

// No test may dial the public network: nodes that are not given one of their own stay alone.
process.env.EARSHOT_ALONE ??= "1";

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: "unit",
          include: [
            "packages/*/src/**/*.test.ts",
            "apps/*/src/**/*.test.{ts,tsx}",
            "test/{interop,repo}/**/*.test.ts",
            "test/e2e/lib/**/*.test.ts",
            "fuzz/**/*.test.ts",
          ],
          exclude: ["**/*.browser.test.{ts,tsx}", ...notTests],
          environment: "node",
          // Vitest leaves one core idle; many of these tests wait for processes and the network.
          maxWorkers: 2,
          // Loading the sources anew for each of 240 files takes as long as half of the tests.
          isolate: false,
          // Those that live through weeks take 15 s of a core, which a busy machine makes a minute of.
          testTimeout: 90_000,
          expect: expectLater,
        },
      },
      {
        resolve: { conditions: ["earshot-source", "browser", "import", "default"] },
        test: {
          name: "browser",
          include: ["packages/*/src/**/*.browser.test.ts", "apps/*/src/**/*.browser.test.{ts,tsx}"],
          exclude: notTests,
          testTimeout: 30_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(chromium !== undefined && { executablePath: chromium }),
                args: [
                  "--no-sandbox",
                  "--disable-gpu",
                  "--disable-quic",
                  "--no-first-run",
                  "--disable-background-networking",
                  "--disable-component-update",
                  "--disable-sync",
                ],
              },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
      {
        ...shared,
        test: {
          // Processes that mostly wait for each other, networks of them, and screens: two files at a time.
          name: "e2e-parallel",
          include: [
            "test/e2e/{cli,sdk,setup}-*.test.ts",
            "test/e2e/web-{account,hosted,node,parts,restore,screens,start}.test.ts",
            "test/e2e/network/{lookups,promotion,storm,to-dedicated,what-supernodes-hold}.test.ts",
            "test/attacks/**/*.test.ts",
            "test/nat/**/*.test.ts",
          ],
          exclude: ["test/nat/chromium.test.ts", "test/e2e/cli-echo.test.ts", ...notTests],
          environment: "node",
          maxWorkers: 2,
          // Real time and real processes: what is broken fails each time.
          retry: 2,
          testTimeout: 120_000,
          hookTimeout: 240_000,
          expect: expectLater,
        },
      },
      {
        ...shared,
        test: {
          // Calls between browsers, and sound in real time: one file at a time.
          name: "e2e",
          include: [
            "test/e2e/{web-call,sound-*}.test.ts",
            "test/e2e/network/web-call.test.ts",
            "test/nat/chromium.test.ts",
          ],
          exclude: notTests,
          environment: "node",
          fileParallelism: false,
          retry: 1,
          testTimeout: 120_000,
          hookTimeout: 240_000,
          expect: expectLater,
        },
      },
      {
        ...shared,
        test: {
          // Minutes each, and so not part of `npm test`: npx vitest run --project long
          name: "long",
          include: ["test/e2e/network/demotion.test.ts", "test/e2e/cli-echo.test.ts"],
          exclude: notTests,
          environment: "node",
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 240_000,
          expect: expectLater,
        },
      },
    ],
  },
});
