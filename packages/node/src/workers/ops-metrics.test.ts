import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { OPEN_NETWORK } from "../backbone/network-config.ts";
import { startTestNode } from "../testing/test-node.ts";

/** Of Prometheus itself. */
const NOT_OURS = new Set(["up"]);
const FUNCTIONS = new Set(["sum", "min", "max", "rate", "increase", "time", "by", "and", "or", "max_over_time"]);

function read(path: string): string {
  return readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");
}

/** Names of metrics in an expression: what is neither a function, nor a label, nor a number. */
function metricsIn(expression: string): string[] {
  const bare = expression.replaceAll(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"|by \([^)]*\)/g, " ");
  return [...bare.matchAll(/[a-z_]{2,}/g)].map(([name]) => name).filter((name) => !FUNCTIONS.has(name));
}

test("every metric that the dashboard and the alerts name is one that a dedicated supernode shows", async () => {
  const { panels } = JSON.parse(read("ops/grafana-dashboard.json")) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const alerted = [...read("ops/prometheus-alerts.yml").matchAll(/expr: (.*)/g)].map(([, expr]) => expr as string);
  const named = new Set([...shown, ...alerted].flatMap(metricsIn).filter((name) => !NOT_OURS.has(name)));
  expect(named.size).toBeGreaterThan(30);
  const node = await startTestNode({
    front: { host: "127.0.0.1", port: 0, workers: 1 },
    role: "dedicated",
    network: { ...OPEN_NETWORK, private: true, prefixLimits: false, dhtHost: "127.0.0.1" },
  });
  const text = await (await fetch(`http://127.0.0.1:${node.port}/metrics`)).text();
  await node.stop();
  const existing = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  expect([...named].filter((name) => !existing.has(name))).toEqual([]);
}, 30_000);
