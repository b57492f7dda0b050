/** What an Allocate request asks for (RFC 8656 section 7.2). */
import {
  attributeOf,
  type StunMessage,
  TURN_EVEN_PORT,
  TURN_REQUESTED_ADDRESS_FAMILY,
  TURN_REQUESTED_TRANSPORT,
  TURN_RESERVATION_TOKEN,
} from "@earshot/core";
import type { RelayFamily, RelayPorts } from "./relay-ports.ts";
import { familyOf, lifetimeOf, type TurnErrorCode } from "./turn-reply.ts";

const UDP = 17;
const RESERVE_NEXT = 0x80;

export interface Asked {
  readonly family: RelayFamily;
  readonly ports: RelayPorts;
  /** Of a port that was kept. */
  readonly token: Uint8Array | undefined;
  readonly seconds: number | undefined;
}

/** Or why it gets nothing. `keepsNoMore`: no further port is kept for later. */
export function askedOf(
  request: StunMessage,
  families: readonly RelayFamily[],
  keepsNoMore: boolean,
): Asked | TurnErrorCode {
  const transport = attributeOf(request, TURN_REQUESTED_TRANSPORT);
  if (transport?.length !== 4) return 400;
  if (transport[0] !== UDP) return 442;
  const evenPort = attributeOf(request, TURN_EVEN_PORT);
  const token = attributeOf(request, TURN_RESERVATION_TOKEN);
  const asked = attributeOf(request, TURN_REQUESTED_ADDRESS_FAMILY);
  if (token !== undefined && (evenPort !== undefined || asked !== undefined)) return 400;
  if (evenPort !== undefined && evenPort.length !== 1) return 400;
  const family = asked === undefined ? 4 : familyOf(asked);
  if (family === undefined || !families.includes(family)) return 440;
  const seconds = lifetimeOf(request);
  if (seconds === "bad") return 400;
  const reserves = evenPort !== undefined && ((evenPort[0] as number) & RESERVE_NEXT) !== 0;
  if (reserves && keepsNoMore) return 508;
  return { family, ports: reserves ? "pair" : evenPort ? "even" : "any", token, seconds };
}
