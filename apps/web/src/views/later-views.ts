/** What is not needed to be called: fetched once the contact list is on. */
export { AddContactDialog } from "./add-contact-dialog.tsx";
export { CallView } from "./call-view.tsx";
export { MyCardDialog } from "./my-card-dialog.tsx";
export { SettingsDialog } from "./settings-dialog.tsx";
