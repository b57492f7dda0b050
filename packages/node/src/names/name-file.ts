/** Fetching a domain's name file: over verified TLS, from a public address, without redirects, little of it and quickly. docs/protocol/names.md section 3. */
import { lookup } from "node:dns";
import { request } from "node:https";
import type { LookupFunction } from "node:net";
import { NAME_FILE_MAX_BYTES, NAME_FILE_PATH } from "@earshot/core";
import { isPublicAddress } from "../supernodes/public-address.ts";

/** For the whole of it, the look-up of the address included. */
export const NAME_TIMEOUT_MS = 5_000;

export interface NameFileOptions {
  /** Takes addresses that are not public: a private network's domains. */
  readonly allowPrivate: boolean;
  /** For tests: who else is believed, and where it listens. */
  readonly ca?: string;
  readonly port?: number;
  readonly lookup?: LookupFunction;
  readonly timeoutMs?: number;
}

/** Its text; null: the site is there and has no such file; undefined: not to be had now. */
export function fetchNameFile(domain: string, options: NameFileOptions): Promise<string | null | undefined> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let length = 0;
    const asked = request(
      {
        host: domain,
        servername: domain,
        port: options.port ?? 443,
        path: NAME_FILE_PATH,
        headers: { accept: "application/json", "user-agent": "earshot" },
        agent: false,
        lookup: guarded(options),
        maxHeaderSize: 16_384,
        rejectUnauthorized: true, // whatever NODE_TLS_REJECT_UNAUTHORIZED says
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      },
      (response) => {
        const { statusCode = 0 } = response;
        // Also of redirects: they are the site's word for its pages, and could lead anywhere.
        if (statusCode !== 200) return finish(statusCode >= 500 ? undefined : null);
        response.on("data", (part: Buffer) => {
          length += part.length;
          if (length > NAME_FILE_MAX_BYTES) return finish(null);
          parts.push(part);
        });
        response.on("end", () => finish(new TextDecoder().decode(Buffer.concat(parts))));
        response.on("error", () => finish(undefined));
      },
    );
    const timer = setTimeout(() => finish(undefined), options.timeoutMs ?? NAME_TIMEOUT_MS);
    function finish(text: string | null | undefined): void {
      clearTimeout(timer);
      resolve(text);
      asked.destroy();
    }
    asked.on("error", () => finish(undefined));
    asked.end();
  });
}

/** Public, or NAT64's form of a public IPv4 address (RFC 6052), which is what DNS64 gives on a network without IPv4. */
export function leadsOut(address: string): boolean {
  const [, high, low] = /^64:ff9b::([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address) ?? [];
  if (high === undefined || low === undefined) return isPublicAddress(address);
  return isPublicAddress([...Buffer.from(high.padStart(4, "0") + low.padStart(4, "0"), "hex")].join("."));
}

/** Looks the host up, and fails where any of its addresses is not public: a name must not point into the person's own network. */
function guarded({ allowPrivate, lookup: find = lookup as LookupFunction }: NameFileOptions): LookupFunction {
  return (hostname, options, callback) => {
    find(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, "");
      const addresses = Array.isArray(found) ? found : [];
      if (addresses.length === 0 || !addresses.every(({ address }) => allowPrivate || leadsOut(address)))
        return callback(Object.assign(new Error("not a public address"), { code: "EADDRNOTAVAIL" }), "");
      const [first] = addresses as [(typeof addresses)[number]];
      if (options.all) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}
