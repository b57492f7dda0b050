/** What finds, opens, seals, delivers and publishes: loaded while connecting, for the first screen needs none of it. */
export { Directory } from "../directory/directory.ts";
export { LastGoodRecords } from "../directory/last-good.ts";
export { Publisher } from "../directory/publisher.ts";
export { RecordWriter } from "../directory/record-writer.ts";
export { Courier } from "../edge/courier.ts";
export { EnvelopeRouter } from "../envelopes/router.ts";
export { Sender } from "../envelopes/sender.ts";
