/** The people in the demo's contact list. */
import type { Contact } from "@earshot/sdk";
import type { Stage } from "./scenes.ts";

export const person = (id: string, name: string, state: Contact["state"] = "contact"): Contact => ({
  id: `ear1qy${id.padEnd(57, "9")}`,
  name,
  state,
  addedAt: 0,
});
export const ECHO = person("ech", "Echo");
export const GRACE = person("grc", "Grace Hopper");
export const PEOPLE = [
  ECHO,
  GRACE,
  person("aln", "Alan Turing"),
  person("kat", "Katherine Johnson", "added"),
  person("mal", "Mallory", "blocked"),
];

export const people = ({ platform }: Stage) => platform.client.emit("contacts", PEOPLE);

/** Views that are fetched later come when they come. */
export async function appears(selector: string): Promise<void> {
  while (document.querySelector(selector) === null) await new Promise(requestAnimationFrame);
}
