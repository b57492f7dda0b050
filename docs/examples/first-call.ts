/** Calls a card, says what happens, hangs up on the first sound: `tsx first-call.ts <node url> <data folder> <card>` */
import { createClient } from "@earshot/sdk";
import { loadWrtc, nodeClientOptions } from "@earshot/sdk/node";

const [url = "", home = "", card = ""] = process.argv.slice(2);
const client = await createClient({ ...(await nodeClientOptions({ home, node: { url } })), name: "First caller" });
await client.start();
console.log("My card:", client.card());

const { RTCAudioSource, RTCAudioSink } = loadWrtc().nonstandard;
const microphone = new RTCAudioSource(); // feed it with onData, 10 ms of PCM at a time
const call = await client.call(card, { audio: microphone.createTrack() });
call.on("change", ({ phase, words, remoteAudio }) => {
  console.log(phase, words?.join(" ") ?? "");
  if (phase !== "active" || !remoteAudio) return; // theirs from the confirmation on
  new RTCAudioSink(remoteAudio).ondata = ({ samples }) => void (samples.some(Boolean) && call.hangUp());
});
call.on("ended", (reason) => {
  console.log("ended:", reason);
  void client.stop().then(() => process.exit());
});
