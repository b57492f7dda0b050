/** axe-core over a live page, without asking its content policy for an exception. */
import axe from "axe-core";
import type { Page } from "playwright-core";

interface AxeWindow {
  readonly axe?: {
    run(options: object): Promise<{ violations: { id: string; impact: string | null; nodes: { html: string }[] }[] }>;
  };
}

/** What axe finds on the page now that is serious or critical, each as `rule: element`. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Evaluated through the debugger, which the page's content policy does not apply to.
  await page.evaluate(`if (!window.axe) { ${axe.source} } 0`);
  const violations = await page.evaluate(async () => {
    const result = await (window as unknown as AxeWindow).axe?.run({ resultTypes: ["violations"] });
    return result?.violations.map(({ id, impact, nodes }) => ({ id, impact, html: nodes[0]?.html ?? "" }));
  });
  if (violations === undefined) throw new Error("axe did not load");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, html }) => `${id}: ${html.slice(0, 160)}`);
}
