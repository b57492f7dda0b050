/** How frames and descriptors write where a supernode is. docs/protocol/edge.md section 2. */
import { type ByteReader, type ByteWriter, utf8 } from "../bytes.ts";
import { accept, type Result, refuse } from "../errors.ts";
import { isDhtAddress, isNodeUrl, type SupernodeRef } from "./addresses.ts";

/** `bytes8 dht ‖ bytes8 url`, as {@link readAddresses} reads them. RangeError where one is neither empty nor well-formed. */
export function writeAddresses(w: ByteWriter, { dht, url }: { readonly dht: string; readonly url: string }): void {
  writeDht(w, dht);
  writeUrl(w, url);
}

export function readAddresses(r: ByteReader): Result<{ readonly dht: string; readonly url: string }> {
  const dht = readDht(r);
  if (!dht.ok) return dht;
  const url = readUrl(r);
  return url.ok ? accept({ dht: dht.value, url: url.value }) : url;
}

/** `supernode key 32 ‖ bytes8 dht ‖ bytes8 url`. */
export function writeRef(w: ByteWriter, ref: SupernodeRef): void {
  w.fixed(ref.supernodeKey, 32);
  writeAddresses(w, ref);
}

export function readRef(r: ByteReader): Result<SupernodeRef> {
  const supernodeKey = r.bytes(32);
  const addresses = readAddresses(r);
  return addresses.ok ? accept({ supernodeKey, ...addresses.value }) : addresses;
}

/** `u8 0` for here, or `u8 1 ‖ ref`. */
export function writeAt(w: ByteWriter, at: SupernodeRef | null): void {
  w.u8(at ? 1 : 0);
  if (at) writeRef(w, at);
}

export function readAt(r: ByteReader): Result<SupernodeRef | null> {
  const elsewhere = r.u8();
  if (elsewhere > 1) return refuse("bad-frame", "flag");
  return elsewhere === 0 ? accept(null) : readRef(r);
}

export function writeDht(w: ByteWriter, dht: string): void {
  if (dht !== "" && !isDhtAddress(dht)) throw new RangeError("expected an ip:port, or nothing");
  w.bytes8(utf8(dht));
}

export function readDht(r: ByteReader): Result<string> {
  const text = latin1(r.bytes8());
  return text === "" || isDhtAddress(text) ? accept(text) : refuse("bad-text", "dht address");
}

export function writeUrl(w: ByteWriter, url: string): void {
  if (url !== "" && !isNodeUrl(url))
    throw new RangeError("expected a ws: or wss: URL of at most 128 bytes, or nothing");
  w.bytes8(utf8(url));
}

export function readUrl(r: ByteReader): Result<string> {
  const text = latin1(r.bytes8());
  return text === "" || isNodeUrl(text) ? accept(text) : refuse("bad-text", "url");
}

/** Both kinds are ASCII: what is not fails their patterns. */
function latin1(bytes: Uint8Array): string {
  return bytes.length === 0 ? "" : String.fromCharCode(...bytes);
}
