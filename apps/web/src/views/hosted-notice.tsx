import type { Hosted } from "../view-models/ports.ts";
import { Icon } from "./icons.tsx";

/** The label of the weaker kind: always there, never in the way. */
export function HostedNotice({ hosted }: { readonly hosted: Hosted | undefined }) {
  if (hosted === undefined) return null;
  return (
    <details class="hosted" data-testid="hosted">
      <summary>
        <Icon name="warning" />
        <span>
          A hosted copy, from <strong>{hosted.operator || hosted.host}</strong>. What that means
        </span>
      </summary>
      <p>
        This app came from {hosted.host}, not from a node of your own. Whoever runs it could change it, for you alone
        and at any time, into one that listens. Earshot’s promises hold as far as you trust them.
      </p>
      <p>
        To depend on nobody, run your own node: get Earshot, type <code>npm start</code>, and open the address that it
        prints. <code>earshot verify-app https://{hosted.host}</code> compares this copy with yours. Your 24 words bring
        your account along.
      </p>
    </details>
  );
}
