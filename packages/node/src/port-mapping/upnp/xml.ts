/**
 * The XML that routers answer with, and no more of XML: elements and their text, in one pass, within bounds. What could make a small
 * document large or reach elsewhere (DOCTYPE, and so entities of its own) is refused; attributes, comments and prefixes of names are
 * passed over.
 */
import { accept, refuse, type Result } from "@earshot/core";

/** A gateway's description takes 2 to 20 kB. */
export const MAX_XML_BYTES = 64 * 1024;
/** Its services are nine deep. */
const MAX_DEPTH = 24;
/** It has some 200 elements, with icons and all. */
const MAX_ELEMENTS = 2_000;

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  /** Between its children too; trimmed. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

const NAME = "[A-Za-z_][\\w.-]{0,63}";
/** All that stands between two texts. No two of its alternatives begin alike, so that it takes linear time. */
const MARKUP = new RegExp(
  [
    "<(?:!--(?<comment>[^]*?)-->",
    "\\?[^]*?\\?>",
    `/(?<closed>(?:${NAME}:)?${NAME})\\s*>`,
    `(?<opened>(?:${NAME}:)?${NAME})(?<rest>(?:[\\s/](?:[^"'<>]|"[^"<]*"|'[^'<]*')*)?)>)`,
  ].join("|"),
  "y",
);
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

interface Open {
  /** As it is written. */
  readonly tag: string;
  readonly texts: string[];
  readonly children: XmlElement[];
}

/** The outermost element. Refused: `too-large`, `bad-frame`. */
export function parseXml(bytes: Uint8Array): Result<XmlElement> {
  if (bytes.length > MAX_XML_BYTES) return refuse("too-large");
  const source = new TextDecoder().decode(bytes);
  const outside: Open = { tag: "", texts: [], children: [] };
  const stack = [outside];
  let elements = 0;
  for (let at = 0; ; ) {
    const top = stack.at(-1) ?? outside;
    const next = source.indexOf("<", at);
    top.texts.push(source.slice(at, next === -1 ? undefined : next));
    if (next === -1) break;
    MARKUP.lastIndex = next;
    const { closed, opened, rest = "" } = MARKUP.exec(source)?.groups ?? {};
    if (MARKUP.lastIndex === 0) return refuse("bad-frame", "markup");
    at = MARKUP.lastIndex;
    if (opened !== undefined) {
      if (stack.length > MAX_DEPTH) return refuse("bad-frame", "too deep");
      if (++elements > MAX_ELEMENTS) return refuse("bad-frame", "too many");
      stack.push({ tag: opened, texts: [], children: [] });
    }
    if (closed !== undefined || rest.endsWith("/")) {
      const done = stack.pop();
      const text = textOf(done?.texts ?? []);
      if (done === undefined || (closed ?? done.tag) !== done.tag || text === undefined)
        return refuse("bad-frame", "element");
      stack.at(-1)?.children.push({ name: done.tag.slice(done.tag.indexOf(":") + 1), text, children: done.children });
    }
  }
  const [root] = outside.children;
  const isOne = stack.length === 1 && outside.children.length === 1 && textOf(outside.texts) === "";
  return isOne && root !== undefined ? accept(root) : refuse("bad-frame", "document");
}

/** The first child of that name. */
export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name);
}

/** All of that name, at whatever depth, in the order in which they begin. */
export function descendantsOf(element: XmlElement, name: string): XmlElement[] {
  const own = element.name === name ? [element] : [];
  return [...own, ...element.children.flatMap((child) => descendantsOf(child, name))];
}

/** Undefined where it holds a reference that means nothing. */
function textOf(texts: readonly string[]): string | undefined {
  let isGood = true;
  const text = texts.join("").replace(/&([^;&]{0,8})(;?)/g, (_, name: string, end: string) => {
    const character = end === "" ? undefined : (ENTITIES[name] ?? characterOf(name));
    isGood &&= character !== undefined;
    return character ?? "";
  });
  return isGood ? text.trim() : undefined;
}

/** `#38`, `#x26`. */
function characterOf(reference: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([0-9a-f]+)|([0-9]+))$/i.exec(reference) ?? [];
  const code = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
  return code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : undefined;
}
