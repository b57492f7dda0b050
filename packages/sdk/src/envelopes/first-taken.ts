import type { RefusalCode } from "@earshot/core";
import type { Delivery } from "../edge/courier.ts";
import type { Sent } from "./sender.ts";

/** Refusals after which what is remembered of a device is out of date. */
const OUTDATED: readonly RefusalCode[] = [
  "unknown-mailbox",
  "token-unknown",
  "unknown-hop-key",
  "unknown-supernode",
  "open-failed",
];
/** Of those, the ones that say that it has gone for good. Any one home may lie: what another says comes first. */
const GONE: readonly RefusalCode[] = ["unknown-mailbox", "token-unknown"];

/**
 * Taken as soon as one home has taken it. Otherwise the refusal that leaves most hope; rejects where no connection took any.
 * `onOutdated`: one of the homes, now or later, says that what is known of the device is out of date.
 */
export function firstTaken(deliveries: readonly Promise<Delivery>[], onOutdated: () => void): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const refusals: Extract<Delivery, { ok: false }>[] = [];
    const errors: Error[] = [];
    const look = () => {
      if (refusals.length + errors.length < deliveries.length) return;
      const refusal = refusals.find(({ code }) => !GONE.includes(code)) ?? refusals[0];
      if (!refusal) return reject(errors[0] as Error);
      resolve({ ...refusal, outdated: refusals.some(({ code }) => OUTDATED.includes(code)) });
    };
    for (const delivery of deliveries)
      delivery.then(
        (answer) => {
          if (answer.ok) return resolve({ ok: true, value: undefined });
          refusals.push(answer);
          if (OUTDATED.includes(answer.code)) onOutdated();
          look();
        },
        (error: Error) => {
          errors.push(error);
          look();
        },
      );
  });
}
