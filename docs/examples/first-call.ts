/** Calls a card, says what happens, and hangs up on the first sound: `tsx first-call.ts <node url> <data folder> <card>` */
import { createClient } from "@earshot/sdk";
import { loadWrtc, nodeClientOptions } from "@earshot/sdk/node";

const [url = "", home = "", card = ""] = process.argv.slice(2);
const client = await createClient({ ...(await nodeClientOptions({ home, node: { url } })), name: "First caller" });
await client.start();
console.log("My card:", client.card());

const { RTCAudioSource, RTCAudioSink } = loadWrtc().nonstandard;
const microphone = new RTCAudioSource(); // feed it with onData, 10 ms of PCM at a time
const call = await client.call(card, { audio: microphone.createTrack() });
call.on("ended", (reason) => client.stop().then(() => process.exit(console.log("ended:", reason))));
call.on("change", () => console.log(call.phase, call.words?.join(" ") ?? ""));
const stopWaiting = call.on("change", () => {
  if (!call.remoteAudio) return; // theirs from the confirmation on
  stopWaiting();
  new RTCAudioSink(call.remoteAudio).ondata = ({ samples }) => {
    if (samples.some((sample) => sample !== 0)) void call.hangUp();
  };
});
