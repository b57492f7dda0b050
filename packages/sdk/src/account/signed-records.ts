/** What only records signed ahead need: loaded where there are any. */
export { openPublicRecord, sealBundle } from "@earshot/core";
