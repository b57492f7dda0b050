/** `GET /api/name?address=name@domain`: `{ card }`, or `{ error, message }`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { sendJson } from "../http/responses.ts";
import type { NameError, NameResolver } from "./name-resolver.ts";

const STATUS: Readonly<Record<NameError, number>> = {
  "name-malformed": 400,
  "name-not-found": 404,
  "name-conflict": 409,
  "rate-limited": 429,
  "name-refused": 502,
  "name-unreachable": 504,
};

export async function answerName(
  names: Pick<NameResolver, "resolve">,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const address = new URL(request.url ?? "", "http://node.invalid").searchParams.get("address") ?? "";
  const answer = await names.resolve(address);
  sendJson(response, "card" in answer ? 200 : STATUS[answer.error], answer);
}
