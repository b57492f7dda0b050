import "fake-indexeddb/auto";
import { indexedDbCases } from "./indexed-db-cases.ts";

indexedDbCases();
