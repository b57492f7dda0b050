import type { HomeModel, OpenDialog } from "../view-models/home.ts";
import { AddContactDialog } from "./add-contact-dialog.tsx";
import { MyCardDialog } from "./my-card-dialog.tsx";
import { NodeDialog } from "./node-dialog.tsx";
import { SettingsDialog } from "./settings-dialog.tsx";

interface Props {
  readonly dialog: OpenDialog;
  readonly home: HomeModel;
  readonly onClose: () => void;
}

/** Whichever dialog the contact list has open. */
export function DeskDialog({ dialog, home, onClose }: Props) {
  switch (dialog) {
    case "none":
      return null;
    case "add-contact":
      return <AddContactDialog home={home} onClose={onClose} />;
    case "my-card":
      return <MyCardDialog model={home.myCard} onClose={onClose} />;
    case "settings":
      return <SettingsDialog home={home} onClose={onClose} />;
    case "node":
      return <NodeDialog home={home} onClose={onClose} />;
  }
}
