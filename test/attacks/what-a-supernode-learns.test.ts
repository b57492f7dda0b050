/** What a supernode can read in the frames it is sent: whose they are must not be in them. */
import type { RunningNode } from "@earshot/node";
import type { Client, Connection } from "@earshot/sdk";
import { nodeTransport } from "@earshot/sdk/node";
import { decodeId, toHex, unwrap } from "@earshot/core";
import { afterEach, beforeAll, afterAll, expect, test } from "vitest";
import { isContact, makePerson, type Person, phase, tone, until } from "../e2e/sdk-people.ts";
import { startAttackedNode, tearDown } from "./rig.ts";

let node: RunningNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterEach(tearDown);
afterAll(() => node.stop());

/** A person all of whose connections to the supernode are written down, as it gets them. */
async function makeRecorded(name: string): Promise<Person & { readonly sent: Uint8Array[] }> {
  const sent: Uint8Array[] = [];
  const inner = nodeTransport();
  const connect = async (address: { readonly url: string }): Promise<Connection> => {
    const connection = await inner.connect(address);
    const send = connection.send.bind(connection);
    connection.send = (message) => {
      sent.push(Uint8Array.from(message));
      send(message);
    };
    return connection;
  };
  return { ...(await makePerson(name, node.url, { transport: { connect } })), sent };
}

const keysOf = ({ id, deviceId }: Client) => [toHex(unwrap(decodeId(id))), deviceId];

test("no frame names an account or a device: not while publishing, asking, accepting or calling", async () => {
  const [alice, bob] = [await makeRecorded("Alice"), await makeRecorded("Bob")];
  await alice.client.addContact(bob.client.card());
  await until(bob.client, "requests", () => bob.client.requests().length === 1);
  await bob.client.acceptRequest(alice.client.id);
  await Promise.all([isContact(alice, bob), isContact(bob, alice)]);
  const rings = new Promise<void>((resolve) => bob.client.on("incoming", (call) => resolve(call.answer())));
  const call = await alice.client.call(bob.client.id, { audio: tone(700) });
  await rings;
  await phase(call, "active");
  await call.hangUp();

  const keys = [alice, bob].flatMap(({ client }) => keysOf(client));
  for (const { sent } of [alice, bob]) {
    expect(sent.length).toBeGreaterThan(10);
    for (const key of keys) expect(sent.filter((frame) => toHex(frame).includes(key))).toEqual([]);
  }
});
