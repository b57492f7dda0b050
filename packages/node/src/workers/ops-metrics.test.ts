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

/** Of the table in docs/operating.md: the names of each metric's labels, and what its row says. */
function documented(): Map<string, { labels: string[]; row: string }> {
  const found = new Map<string, { labels: string[]; row: string }>();
  for (const row of read("docs/operating.md")
    .split("\n")
    .filter((line) => /^\| `(earshot|process)_/.test(line)))
    for (const [, name, labels] of (row.split(" | ")[0] as string).matchAll(
      /`((?:earshot|process)_\w+)(?:\{(\w+)\})?`/g,
    ))
      found.set(name as string, { labels: labels === undefined ? [] : [labels], row });
  return found;
}

/** `name{label="value"}` and `by (label) (…name…)` in an expression. `instance` and `job` are Prometheus' own. */
function labelsIn(expression: string): { metric: string; label: string; value?: string }[] {
  const given = [...expression.matchAll(/([a-z_]+)\{([^}]*)\}/g)].flatMap(([, metric = "", inner = ""]) =>
    [...inner.matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, label = "", value = ""]) => ({ metric, label, value })),
  );
  const by = [...expression.matchAll(/by \((\w+)\) \(rate\(([a-z_]+)/g)].map(([, label = "", metric = ""]) => ({
    metric,
    label,
  }));
  return [...given, ...by].filter(({ label }) => !["instance", "job"].includes(label));
}

interface Target {
  readonly expr: string;
  readonly legendFormat?: string;
}

test("every metric that the dashboard and the alerts name is one that a dedicated supernode shows", async () => {
  const { panels } = JSON.parse(read("ops/grafana-dashboard.json")) as { panels: { targets?: Target[] }[] };
  const targets = panels.flatMap((panel) => panel.targets ?? []);
  const alerted = [...read("ops/prometheus-alerts.yml").matchAll(/expr: (.*)/g)].map(([, expr]) => expr as string);
  const expressions = [...targets.map(({ expr }) => expr), ...alerted];
  const named = new Set(expressions.flatMap(metricsIn).filter((name) => !NOT_OURS.has(name)));
  expect(named.size).toBeGreaterThan(30);
  const node = await startTestNode({
    front: { host: "127.0.0.1", port: 0, workers: 1 },
    role: "dedicated",
    network: { ...OPEN_NETWORK, private: true, prefixLimits: false, dhtHost: "127.0.0.1" },
  });
  const text = await (await fetch(`http://127.0.0.1:${node.port}/metrics`)).text();
  await node.stop();
  const existing = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name as string));
  expect([...named].filter((name) => !existing.has(name))).toEqual([]);

  const docs = documented();
  expect([...docs.keys()].toSorted()).toEqual([...existing].toSorted());
  // What has been counted shows its labels.
  for (const [, name = "", labels = ""] of text.matchAll(/^(\w+)\{([^}]*)\}/gm))
    expect([name, [...labels.matchAll(/(\w+)=/g)].map(([, label]) => label)]).toEqual([name, docs.get(name)?.labels]);
  const legends = targets.flatMap(({ expr, legendFormat = "" }) =>
    [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)]
      .filter(([, label]) => label !== "instance")
      .map(([, label = ""]) => ({ metric: metricsIn(expr)[0] as string, label, value: undefined })),
  );
  const codes = read("docs/protocol/edge.md");
  for (const { metric, label, value } of [...expressions.flatMap(labelsIn), ...legends]) {
    expect([metric, docs.get(metric)?.labels]).toEqual([metric, [label]]);
    if (value !== undefined) expect(label === "code" ? codes : docs.get(metric)?.row).toContain(`\`${value}\``);
  }
}, 30_000);

test("the port that operators are told is the one at which a supernode has its page", () => {
  const [, port] = /DEFAULT_PORT = (\d+)/.exec(read("apps/cli/src/default-port.ts")) ?? [];
  for (const path of ["ops/Containerfile", "ops/prometheus-alerts.yml", "docs/dedicated.md", "docs/operating.md"]) {
    const told = [...read(path).matchAll(/(?:127\.0\.0\.1|localhost):(\d+)/g)].map(([, digits]) => digits);
    expect([path, told.filter((digits) => digits !== port && digits !== "8443")]).toEqual([path, []]);
    expect(told).toContain(port);
  }
});
