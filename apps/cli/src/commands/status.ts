/** `earshot status`: does it work, and what of it does not. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { EarshotError, type NodeReport } from "@earshot/core";
import { accountLines } from "../account-lines.ts";
import { EXIT, type ExitCode, exitCodeOf } from "../exit-codes.ts";
import { nodeApi } from "../node-api.ts";
import { tellReport } from "../node-lines.ts";
import { nodeTarget } from "../node-target.ts";
import { homeLines, homesOf } from "./homes.ts";
import { type CommonOptions, homeOf } from "../common-options.ts";
import { CLOCK_ADVICE, goOnline, openSession } from "../session.ts";
import type { Terminal } from "../terminal.ts";

/** Exit code 0 when calls can be made and taken. */
export async function showStatus(options: CommonOptions, terminal: Terminal): Promise<ExitCode> {
  const target = nodeTarget(options.node);
  const node = new URL(target.url).origin;
  const home = homeOf(options);
  try {
    // The operator of a supernode on a server need not be a person on it.
    if (!existsSync(join(home, "client"))) {
      const report = await nodeApi(target)
        .report()
        .catch(() => undefined);
      if (report?.role === "dedicated") return tellSupernode(report, terminal, { node, home });
    }
    return await tellClient(options, terminal, { node, home });
  } catch (error) {
    if (!(error instanceof EarshotError)) throw error;
    const exitCode = exitCodeOf(error.code);
    terminal.emit({ node, home, online: false, problem: error.code, message: error.message });
    terminal.say(`${terminal.warn("not online")}  ${error.message}`);
    terminal.say(terminal.dim(`  home ${home}\n  node ${node}`));
    return exitCode;
  }
}

function tellSupernode(report: NodeReport, terminal: Terminal, where: { node: string; home: string }): ExitCode {
  terminal.emit({ ...where, online: true, report });
  terminal.say(`${terminal.good("running")}  ${report.operator || "a supernode"}, at ${where.node}`);
  tellReport(report, terminal);
  return EXIT.ok;
}

async function tellClient(
  options: CommonOptions,
  terminal: Terminal,
  where: { node: string; home: string },
): Promise<ExitCode> {
  const session = await openSession(options);
  try {
    const startedAt = performance.now();
    await goOnline(session, terminal);
    const { client } = session;
    const onlineInMs = Math.round(performance.now() - startedAt);
    const contacts = client.contacts();
    const callable = contacts.filter((contact) => contact.state === "contact").length;
    const requests = client.requests().length;
    const { problem } = client.status;
    const report = await nodeApi(session.node)
      .report()
      .catch(() => undefined);
    const homes = homesOf(client, report);
    const refusals = Object.fromEntries(client.refusals());
    terminal.emit({
      ...where,
      online: true,
      onlineInMs,
      id: client.id,
      name: client.name,
      supernode: client.status.supernode,
      contacts: contacts.length,
      callable,
      requests,
      refusals,
      account: client.account,
      homes,
      ...(report === undefined ? {} : { report }),
      ...(problem === undefined ? {} : { problem }),
    });
    terminal.say(`${terminal.good("online")}  as ${terminal.bold(client.name)}, after ${onlineInMs} ms`);
    terminal.say(`  id         ${client.id}`);
    terminal.say(`  node       ${where.node}`);
    terminal.say(`  supernode  ${client.status.supernode ?? "none"}`);
    terminal.say(`  home       ${where.home}`);
    terminal.say(`  contacts   ${callable} of ${contacts.length} can be called, ${requests} waiting to be accepted`);
    for (const [code, count] of client.refusals()) terminal.say(terminal.warn(`  refused    ${count} × ${code}`));
    const { state, advice } = accountLines(client.account);
    if (!client.account.keyHere) terminal.say(`  account    ${state}`);
    if (advice !== undefined) terminal.say(terminal.warn(`! ${advice}`));
    if (homes.length > 0) for (const line of homeLines(homes)) terminal.say(`  ${line}`);
    if (report !== undefined) tellReport(report, terminal);
    if (problem !== "clock-wrong") return EXIT.ok;
    terminal.say(terminal.warn(`! ${CLOCK_ADVICE}`));
    return exitCodeOf(problem);
  } finally {
    await session.close();
  }
}
