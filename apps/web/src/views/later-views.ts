/** What is not needed to be called: fetched once the contact list is on. */
export { Arrivals } from "./arrivals.tsx";
export { CallView } from "./call-view.tsx";
export { ContactView } from "./contact-view.tsx";
export { DeskDialog } from "./desk-dialog.tsx";
