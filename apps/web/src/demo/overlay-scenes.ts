/** The screens of the overlay: homes, the node's own page in each of its states, lending, names and hosted copies. */
import type { NodeReport } from "@earshot/core";
import type { HomeStatus, SupernodeChoice } from "@earshot/sdk";
import type { HomeModel } from "../view-models/home.ts";
import { appears, ECHO, GRACE, people, person } from "./people.ts";
import type { Scene, Stage } from "./scenes.ts";
import {
  ALONE,
  DEDICATED,
  DRAINING,
  JOINING,
  LONG,
  MANY,
  MEASURING,
  neighbour,
  PROMOTED,
  RELAY_LIMITS,
  RELAYING_TOO,
  VOLUNTEER,
} from "./scripted-report.ts";

const LONG_OPERATOR = "Verein-zur-Förderung-freier-Netze-und-offener-Vermittlungsstellen-eV";

const HOMES: readonly HomeStatus[] = [3, 5].map((index, at) => {
  const { key, url, operator, kind, roundTripMs } = neighbour(index);
  return {
    key,
    url,
    operator,
    kind,
    trusted: at === 0,
    state: at === 0 ? "connected" : "lost",
    roundTripMs: roundTripMs ?? 0,
  };
});

const choicesOf = ({ neighbours }: NodeReport): readonly SupernodeChoice[] =>
  neighbours.map((one, index) => ({
    key: one.key,
    operator: one.operator,
    kind: one.kind,
    url: one.url,
    prefix: one.prefix,
    ...(one.roundTripMs === null ? {} : { roundTripMs: one.roundTripMs }),
    trusted: index === 3,
    home: HOMES.some(({ key }) => key === one.key),
  }));

/** On a network, at home at two supernodes. */
const networked = (stage: Stage, report = VOLUNTEER, homes = HOMES) => {
  people(stage);
  stage.platform.script.report = report;
  stage.platform.client.known = choicesOf(report);
  stage.platform.client.atHome(homes);
};

/** The node's page, once its script is there. */
const nodePage = async (_stage: Stage, home: HomeModel) => {
  home.open("node");
  await appears("[data-testid=node-page] .node-card, [data-testid=node-problem] p");
};

const nodeScene = (report: NodeReport): Scene => ({ before: (stage) => networked(stage, report), then: nodePage });

const operatorScene = (report: NodeReport, fails?: string): Scene => ({
  operator: true,
  before: ({ platform }) => {
    platform.script.report = report;
    platform.script.nodeFails = fails;
  },
});

/** Opens the settings where the homes are in sight. */
const homesShown = async (_stage: Stage, home: HomeModel) => {
  home.open("settings");
  await appears("[data-testid=homes]");
  document.querySelector("[data-testid=homes]")?.scrollIntoView();
};

/** And those to choose from. */
const choicesShown = async (stage: Stage, home: HomeModel) => {
  await homesShown(stage, home);
  document.querySelector(".choices")?.setAttribute("open", "");
};

const pressed = async (testId: string, shows: string) => {
  await appears(`[data-testid=${testId}]`);
  document.querySelector<HTMLElement>(`[data-testid=${testId}]`)?.click();
  await appears(shows);
};

const type = (testId: string, text: string) => {
  const field = document.querySelector<HTMLInputElement>(`[data-testid=${testId}]`);
  if (field) field.value = text;
  field?.dispatchEvent(new Event("input", { bubbles: true }));
};

/** Its owner lets it relay calls, and it cannot. */
const notRelaying = (state: NonNullable<NodeReport["relayLending"]>["state"]): NodeReport => ({
  ...VOLUNTEER,
  relayLending: { given: true, limits: RELAY_LIMITS, state },
});

/** What came of asking the router. */
const mapping = (change: Partial<NodeReport["portMapping"]>): NodeReport => ({
  ...MEASURING,
  portMapping: {
    ...MEASURING.portMapping,
    way: "",
    externalAddress: "",
    ports: MEASURING.portMapping.ports.map((port) => ({ ...port, mapped: change.state === "mapped" })),
    ...change,
  },
});

const hosted = (operator: string, host: string, more?: (stage: Stage) => void): Scene => ({
  before: (stage) => {
    people(stage);
    more?.(stage);
    stage.platform.script.hosted = { operator, host };
  },
  then: () => document.querySelector("[data-testid=hosted]")?.setAttribute("open", ""),
});

const nameChanged = (address: string, name: string): Scene => ({
  before: ({ platform }) => platform.client.emit("contacts", [ECHO, { ...GRACE, name, address }]),
  then: async ({ platform }, home) => {
    platform.client.nameChanged(GRACE.id, person("new", "").id);
    home.contacts.select(GRACE.id);
    await appears("[data-testid=name-changed]");
  },
});

export const OVERLAY_SCENES: Readonly<Record<string, Scene>> = {
  homes: { before: networked, then: homesShown },
  "homes-choices": { before: networked, then: choicesShown },
  "homes-many": { before: (stage) => networked(stage, MANY), then: choicesShown },
  "homes-long": {
    before: (stage) =>
      networked(
        stage,
        LONG,
        HOMES.map((one) => ({ ...one, operator: LONG_OPERATOR })),
      ),
    then: choicesShown,
  },
  "homes-none-yet": { before: (stage) => networked(stage, VOLUNTEER, []), then: homesShown },
  "homes-alone": {
    before: (stage) => {
      people(stage);
      stage.platform.client.atHome([
        {
          key: "5f".repeat(32),
          url: "",
          operator: "",
          kind: "own",
          trusted: false,
          state: "connected",
          roundTripMs: 1,
        },
      ]);
    },
    then: homesShown,
  },
  "homes-refused": {
    before: networked,
    then: async (stage, home) => {
      await homesShown(stage, home);
      stage.platform.client.failNext = "no-other-home";
      await pressed("home-move", "[data-testid=homes-message]");
    },
  },
  "add-contact-name": { before: people, then: (_stage, home) => home.offerCard("grace@example.org") },
  "name-changed": nameChanged("grace@example.org", "Grace Hopper"),
  "name-changed-long": nameChanged(
    "grace.brewster.murray.hopper.of.the.united.states.navy.reserve@mail.department-of-compilers.example.org",
    "Rear Admiral Grace Brewster Murray Hopper of the Navy Reserve",
  ),
  hosted: hosted("calls.example", "app.calls.example"),
  "hosted-long": hosted(LONG_OPERATOR, "app.a-very-long-label-in-a-very-long-name.calls.department.example.org"),
  "hosted-first-run": {
    before: ({ platform }) => {
      platform.script.identity = false;
      platform.script.hosted = { operator: "", host: "app.calls.example" };
    },
  },
  "lend-question": { before: networked, then: () => appears("[data-testid=lend-question]") },
  "lend-dialog": { before: networked, then: () => pressed("lend-open", "[data-testid=lend-form]") },
  "lend-mistyped": {
    before: networked,
    then: async () => {
      await pressed("lend-open", "[data-testid=lend-form]");
      type("lend-clients", "lots");
      await pressed("lend-yes", "[data-testid=lend-problem] p");
    },
  },
  "node-volunteer": nodeScene(VOLUNTEER),
  "node-joining": nodeScene(JOINING),
  "node-measuring": nodeScene(MEASURING),
  "node-promoted": nodeScene(PROMOTED),
  "node-draining": nodeScene(DRAINING),
  "node-dedicated": nodeScene(DEDICATED),
  "node-relaying": nodeScene(RELAYING_TOO),
  "node-relay-behind-router": nodeScene(notRelaying("behind-router")),
  "relay-dialog": {
    before: networked,
    then: async (stage, home) => {
      await nodePage(stage, home);
      await pressed("node-relay-open", "[data-testid=relay-form]");
    },
  },
  "relay-mistyped": {
    before: (stage) => networked(stage, RELAYING_TOO),
    then: async (stage, home) => {
      await nodePage(stage, home);
      await pressed("node-relay-open", "[data-testid=relay-form]");
      type("relay-ends", "lots");
      await pressed("relay-yes", "[data-testid=relay-problem] p");
    },
  },
  "node-router-refused": nodeScene(mapping({ state: "refused" })),
  "node-router-none": nodeScene(mapping({ state: "no-gateway", gateway: "" })),
  "node-many": nodeScene(MANY),
  "node-long": nodeScene(LONG),
  "node-alone": nodeScene(ALONE),
  "node-unreachable": {
    before: (stage) => {
      networked(stage);
      stage.platform.script.nodeFails = "node-unreachable";
    },
    then: nodePage,
  },
  "node-step-down": {
    before: (stage) => networked(stage, PROMOTED),
    then: async (stage, home) => {
      await nodePage(stage, home);
      await pressed("node-step-down", "[data-testid=step-down-dialog]");
    },
  },
  operator: operatorScene(DEDICATED),
  "operator-measuring": operatorScene(MEASURING),
  "operator-refused": operatorScene(VOLUNTEER, "token-refused"),
};
