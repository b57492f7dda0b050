import { EarshotError } from "@earshot/core";

/** Something typed cannot be meant; the message says what can. Exit code 2. */
export class UsageError extends EarshotError {
  constructor(message: string) {
    super("bad-usage", message);
  }
}
