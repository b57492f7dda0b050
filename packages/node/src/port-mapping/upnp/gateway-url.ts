/** Where at the gateway something is. What it, or who speaks in its name, tells us to ask is asked of the gateway itself, or not at all. */

const MAX_URL_CHARS = 512;
const HTTP_PORT = 80;

/** A place at the gateway: whoever asks adds the gateway's address. */
export interface GatewayPath {
  readonly port: number;
  /** With what follows `?`. */
  readonly path: string;
}

/** Undefined where `text` is no `http:` URL of exactly this address. `base`: what a relative one is relative to. */
export function gatewayPath(text: string, gateway: string, base?: GatewayPath): GatewayPath | undefined {
  if (text.length > MAX_URL_CHARS) return undefined;
  const from = base && `http://${gateway}:${base.port}${base.path}`;
  if (!URL.canParse(text, from)) return undefined;
  const { protocol, hostname, port, pathname, search, username, password } = new URL(text, from);
  if (protocol !== "http:" || hostname !== gateway || port === "0" || username !== "" || password !== "")
    return undefined;
  return { port: port === "" ? HTTP_PORT : Number(port), path: pathname + search };
}
