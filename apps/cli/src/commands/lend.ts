/** `earshot lend`: whether, and how much of, this node others may use. */
import { EarshotError, type NodeReport } from "@earshot/core";
import type { CommonOptions } from "../common-options.ts";
import { limitsText, limitsWith, type TypedLimits } from "../lend-limits.ts";
import { nodeApi } from "../node-api.ts";
import { nodeTarget } from "../node-target.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export interface LendOptions extends CommonOptions, TypedLimits {
  /** Take the consent back. */
  readonly stop?: boolean;
  /** Stop serving now; the consent stays. */
  readonly stepDown?: boolean;
}

/** Gives or takes back the consent; what is not typed stays as it was. */
export async function lendNode(options: LendOptions, terminal: Terminal): Promise<void> {
  const { stop = false, stepDown = false, clients, bandwidth, storage, hours } = options;
  const typed = [clients, bandwidth, storage, hours].some((value) => value !== undefined);
  if ((stop && stepDown) || ((stop || stepDown) && typed))
    throw new UsageError("--stop and --step-down stand alone: they take no limits.");
  const api = nodeApi(nodeTarget(options.node));
  const before = await api.report();
  if (before.role === "dedicated" && !stepDown)
    throw new EarshotError(
      "bad-usage",
      "A dedicated supernode serves because it was started so. To end that, stop it.",
    );
  if (stepDown) await api.stepDown();
  else if (stop) await api.setConsent(false);
  else await api.setConsent(true, limitsWith(before.consent.limits, options));
  tell(await api.report(), stepDown, terminal);
}

function tell(report: NodeReport, stepDown: boolean, terminal: Terminal): void {
  const { consent, role, roleState, roleReason, network } = report;
  terminal.emit({ consent, role, roleState, roleReason });
  if (stepDown) terminal.say("Stepping down: the people it serves are told to move to other supernodes.");
  else if (!consent.given) terminal.say("This node serves only you from now on. Whoever it served is told to move.");
  else {
    terminal.say(`${terminal.good("Thank you.")} You lend this node: ${limitsText(consent.limits)}.`);
    terminal.say(
      network.state === "alone"
        ? terminal.warn("It was started without a network, so nobody can use it. Start it without --alone.")
        : "It asks your router to let others in. It is measured first, and serves others only if it is fit and the network needs it. See: earshot status",
    );
    terminal.say(
      terminal.dim("It never carries calls and cannot read what it passes on. Undo with: earshot lend --stop"),
    );
  }
}
