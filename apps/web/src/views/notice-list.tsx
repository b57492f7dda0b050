import type { HomeModel } from "../view-models/home.ts";
import type { Notice, NoticeKind } from "../view-models/notices.ts";
import { Icon, type IconName } from "./icons.tsx";
import { Button } from "./parts.tsx";

const ICONS: Readonly<Record<NoticeKind, IconName>> = {
  missed: "missed",
  "relay-needed": "missed",
  "new-device": "device",
  "list-restarted": "device",
  "broken-attempt": "warning",
  "name-changed": "key",
};

/** What a notice says about `name`; `inCall` where the words to compare are on the screen now. */
export function noticeText(kind: NoticeKind, name: string, inCall = false): string {
  const compare = inCall ? "Compare the words now." : "Compare the words in your next call.";
  switch (kind) {
    case "missed":
      return `Missed call from ${name}`;
    case "relay-needed":
      return `Missed call from ${name}: it needed a relay, and none is there, or one of you allows none.`;
    case "new-device":
      return `${name} is using a device you have not seen before. If they did not tell you about it, ask them. ${compare}`;
    case "list-restarted":
      return `${name} seems to have started anew from their recovery phrase, or somebody has it. Ask them in another way. If it was them, add their card again; until then your calls do not reach the new device.`;
    case "name-changed":
      return `The name of ${name} leads to another key now. Calls to them are stopped until you have decided: open the contact.`;
    case "broken-attempt":
      return `A call attempt with ${name} broke off half-way. Once is likely just the network; if it happens again and again, somebody may be interfering. ${compare}`;
  }
}

/** Missed calls and warnings, newest first; nothing while there are none. */
export function NoticeList({ model }: { readonly model: HomeModel }) {
  const notices = model.notices.list.value;
  if (notices.length === 0) return null;
  return (
    <section class="notices" aria-labelledby="notices-title" data-testid="notices">
      <div class="row row-spread">
        <h2 id="notices-title">While you were away</h2>
        <Button kind="quiet" testId="notices-clear" onClick={() => model.notices.dismissAll()}>
          Clear
        </Button>
      </div>
      <ul>
        {notices.map((notice) => (
          <NoticeRow key={notice.key} notice={notice} model={model} />
        ))}
      </ul>
    </section>
  );
}

function NoticeRow({ notice, model }: { readonly notice: Notice; readonly model: HomeModel }) {
  const name = model.contacts.nameOf(notice.contactId);
  return (
    <li class={`notice notice-${notice.kind}`} data-testid={`notice-${notice.kind}`}>
      <Icon name={ICONS[notice.kind]} />
      <p>
        {noticeText(notice.kind, name)}
        <time class="soft small" dateTime={new Date(notice.at).toISOString()}>
          {new Date(notice.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}
        </time>
      </p>
      <span class="notice-actions">
        {["missed", "relay-needed", "name-changed"].includes(notice.kind) && (
          <Button
            kind="quiet"
            icon="person"
            label={`Show ${name}`}
            onClick={() => model.contacts.select(notice.contactId)}
          />
        )}
        <Button kind="quiet" icon="close" label="Dismiss" onClick={() => model.notices.dismiss(notice.key)} />
      </span>
    </li>
  );
}
