/** What only making or using a recovery phrase and a backup needs: loaded then, for the word list is large. */
export { openBackup, phraseOf, sealBackup, seedOfPhrase } from "@earshot/core";
