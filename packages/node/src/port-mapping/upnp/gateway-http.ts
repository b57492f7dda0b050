/** HTTP with a gateway that may be anybody: one answer, within bounds of time and size, from the gateway's own address; redirects are not followed. */
import { request as httpRequest } from "node:http";
import type { Clock } from "@earshot/core";
import type { GatewayPath } from "./gateway-url.ts";
import { MAX_XML_BYTES } from "./xml.ts";

/** From the first packet to the last byte. */
const ANSWER_MS = 3_000;
const MAX_HEADER_BYTES = 8 * 1024;

export interface GatewayRequest extends GatewayPath {
  /** Absent: it is only fetched. */
  readonly soap?: { readonly action: string; readonly body: string };
}

export interface GatewayReply {
  readonly status: number;
  readonly body: Uint8Array;
}

/** Undefined where none came that is within the bounds, or the signal was aborted. Never rejects. */
export type AskGatewayHttp = (request: GatewayRequest, signal: AbortSignal) => Promise<GatewayReply | undefined>;

/** Asks this address and no other: nothing is looked up. `gateway`: IPv4. */
export function gatewayHttp(gateway: string, clock: Clock): AskGatewayHttp {
  return ({ port, path, soap }, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const chunks: Buffer[] = [];
      let size = 0;
      const request = httpRequest({
        host: gateway,
        family: 4,
        port,
        path,
        method: soap === undefined ? "GET" : "POST",
        headers: soap === undefined ? {} : headersOf(soap),
        agent: false,
        maxHeaderSize: MAX_HEADER_BYTES,
      });
      const done = (reply: GatewayReply | undefined): void => {
        cancel();
        signal.removeEventListener("abort", giveUp);
        resolve(reply);
        request.destroy();
      };
      const giveUp = (): void => done(undefined);
      const cancel = clock.setTimer(ANSWER_MS, giveUp);
      signal.addEventListener("abort", giveUp);
      // An interim answer is to nothing that was asked for, and may be the first of many.
      request.on("error", giveUp).on("close", giveUp).on("information", giveUp);
      request.on("response", (response) => {
        response.on("error", giveUp);
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_XML_BYTES) giveUp();
          else chunks.push(chunk);
        });
        response.on("end", () => {
          if (response.complete) done({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
          else giveUp();
        });
      });
      request.end(soap?.body);
    });
}

function headersOf({ action, body }: NonNullable<GatewayRequest["soap"]>): Record<string, string | number> {
  return {
    SOAPAction: action,
    "Content-Type": 'text/xml; charset="utf-8"',
    "Content-Length": Buffer.byteLength(body),
  };
}
