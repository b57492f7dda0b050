/** The app from the first byte of script to the contact list: which screen is on, and how one leads to the next. */
import type { Client } from "@earshot/sdk";
import { type ReadonlySignal, signal } from "@preact/signals";
import { addEchoOnce } from "./echo.ts";
import { createFirstRunModel, type FirstRunModel } from "./first-run.ts";
import { createHomeModel, type HomeModel } from "./home.ts";
import { codeOf } from "./plain-words.ts";
import type { Hosted, Obstacle, OpenOptions, Platform, TakeOver } from "./ports.ts";

export type Screen =
  | { readonly kind: "starting" }
  | { readonly kind: "blocked"; readonly obstacle: Obstacle }
  | { readonly kind: "failed"; readonly code: string }
  | { readonly kind: "first-run"; readonly model: FirstRunModel; readonly hosted: Hosted | undefined }
  | { readonly kind: "home"; readonly model: HomeModel };

export interface AppModel {
  readonly screen: ReadonlySignal<Screen>;
  /** Starts, or starts again after an obstacle. `takeOver` closes the session in another tab. */
  start(takeOver?: TakeOver): Promise<void>;
  /** A card that came in the address (`#card=`): offered once the contact list is there. */
  offerCard(card: string): void;
}

/** The root model. */
export function createAppModel(platform: Platform): AppModel {
  const { session } = platform;
  const screen = signal<Screen>({ kind: "starting" });
  let offered: string | undefined;
  let client: Client | undefined;

  const offer = () => {
    if (offered === undefined || screen.value.kind !== "home") return;
    screen.value.model.offerCard(offered);
    offered = undefined;
  };
  const enter = async (options: OpenOptions) => {
    const opened = await session.open(options);
    client = opened;
    screen.value = { kind: "home", model: await createHomeModel(opened, platform) };
    offer();
    // Resolves once online, however long that takes; the banner tells meanwhile. Echo needs the connection.
    void opened.start().then(
      () => addEchoOnce(opened, session, platform.clock),
      () => undefined,
    );
  };
  session.onTakeOver({
    isInCall: () => screen.value.kind === "home" && screen.value.model.calls.isUnderWay(),
    letGo: async () => {
      if (screen.value.kind === "home") screen.value.model.dispose();
      screen.value = { kind: "blocked", obstacle: "other-tab" };
      const leaving = client;
      client = undefined;
      await leaving?.stop();
    },
  });

  return {
    screen,
    start: async (takeOver = false) => {
      screen.value = { kind: "starting" };
      try {
        const obstacle = await session.prepare(takeOver);
        if (obstacle) screen.value = { kind: "blocked", obstacle };
        else if (await session.hasIdentity()) await enter({});
        else screen.value = { kind: "first-run", model: createFirstRunModel(enter), hosted: session.hosted() };
      } catch (error) {
        screen.value = { kind: "failed", code: codeOf(error) };
      }
    },
    offerCard: (card) => {
      offered = card;
      offer();
    },
  };
}
