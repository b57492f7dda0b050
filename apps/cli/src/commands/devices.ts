/** `earshot devices`: list, revoke. */
import type { Client, Device } from "@earshot/sdk";
import type { CommonOptions } from "../common-options.ts";
import { connectSession } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

/** So much of a device's id tells it from the others. */
const SHORT_ID_LENGTH = 8;

/** Lists the account's devices as they are published. */
export async function listDevices(options: CommonOptions, terminal: Terminal): Promise<void> {
  const session = await connectSession(options, terminal);
  try {
    const devices = session.client.devices();
    terminal.emit({ devices });
    for (const device of devices) terminal.say(deviceLine(device, terminal));
    if (devices.length > 1) terminal.say("  earshot devices revoke <id>     takes one out for good");
  } finally {
    await session.close();
  }
}

/** Takes the device out that has this id, or whose id alone begins so. */
export async function revokeDevice(text: string, options: CommonOptions, terminal: Terminal): Promise<void> {
  const session = await connectSession(options, terminal);
  try {
    const { id } = deviceMeant(session.client, text);
    await session.client.revokeDevice(id);
    terminal.emit({ revoked: { id } });
    terminal.say(`Removed the device ${id.slice(0, SHORT_ID_LENGTH)}…. Your contacts are being told.`);
  } finally {
    await session.close();
  }
}

/** `earshot devices <something else>`. */
export async function unknownDevicesCommand(word: string): Promise<never> {
  throw new UsageError(`devices ${word}? There is: devices revoke <id>.`);
}

function deviceMeant(client: Client, text: string): Device {
  const wanted = text.trim().toLowerCase().replace(/…$/, "");
  const found = client.devices().filter(({ id }) => wanted.length >= SHORT_ID_LENGTH && id.startsWith(wanted));
  if (found.length === 1 && found[0] !== undefined) return found[0];
  throw new UsageError(
    found.length > 1
      ? `${found.length} devices fit "${text}"; use the whole id.`
      : `None of your devices is "${text}". See: earshot devices`,
  );
}

function deviceLine({ id, addedAt, current }: Device, terminal: Terminal): string {
  const mark = current ? `  ${terminal.good("this one")}` : "";
  return `since ${new Date(addedAt).toLocaleString()}${mark}\n  ${terminal.dim(id)}`;
}
