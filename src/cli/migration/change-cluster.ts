/**
 * A change of a cluster as a person meets it: shown first, asked for, held up by a key, told about.
 * What is changed is a plan, there or back.
 */
import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import pico from 'picocolors';
import { RegaugeError } from '../../base/errors.ts';
import { DEFAULT_BUDGETS, parseBudgets } from '../../engine/probes/budgets.ts';
import { type Beginning, migrate } from '../../engine/run/migration.ts';
import { RunControl } from '../../engine/run/run-control.ts';
import type { RunResult } from '../../engine/run-plan.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import type { Plan } from '../../model/plan.ts';
import type { RunEvent } from '../../model/run-event.ts';
import type { RunResultDocument } from '../../model/status.ts';
import { type Drift, driftFrom, driftUnderWay, nodesJoined } from '../../planner/drift.ts';
import { planWith } from '../../planner/joined-nodes.ts';
import { type CliContext, EXIT, textWidth, wantsColour } from '../context.ts';
import type { ChangeFlags, MigrateFlags } from '../flags.ts';
import { writeDocument } from '../output-format.ts';
import { previewText } from '../terminal/migration-preview.ts';
import { runProgress } from '../terminal/run-progress.ts';
import { RunView } from '../terminal/run-view.ts';
import { type AuditFile, auditLine, openAuditFile } from './audit-file.ts';
import { backupDirectory } from './backup-directory.ts';
import { lineFrom, listenForStops } from './keyboard.ts';
import { readLiveFacts } from './live-facts.ts';
import type { OpenedCluster, OpenedPorts } from './real-ports.ts';
import { auditAddress, RemoteAudit } from './remote-audit.ts';
import { stateDirectory } from './state-directory.ts';

/** Nothing is changed unasked: with nobody to ask, somebody must have said yes before. */
export function refuseUnasked({ process }: CliContext, { yes }: ChangeFlags): void {
  if (yes || process.stdin.isTTY === true) return;
  throw new RegaugeError('usage', 'there is no terminal to ask on', {
    hint: 'Give --yes to change the cluster without being asked.',
  });
}

/** A change of a cluster that is about to begin, or to go on. */
export interface Change {
  readonly context: CliContext;
  /** What only `migrate` takes is absent on the way back. */
  readonly flags: ChangeFlags & Partial<MigrateFlags>;
  readonly cluster: OpenedCluster;
  readonly opened: OpenedPorts;
  readonly beginning: Beginning;
  readonly nodes: readonly NodeObject[];
  readonly words: ChangeWords;
}

/** What differs between going there and going back. */
export interface ChangeWords {
  /** How the cluster is when every step is done. */
  done(plan: Plan): string;
  /** The command that goes on with it. */
  readonly goOn: string;
  /** What else can be done about a step that failed. */
  readonly otherwise: string;
  /** Whether facts that have changed since the plan hold it up. */
  readonly minds: 'drift' | 'nothing';
}

/** Shows it, asks, executes it, and tells how it ended. */
export async function changeCluster(all: Change): Promise<void> {
  const { context, flags, cluster, opened, beginning, words } = all;
  const { plan, record } = beginning;
  const remote = remoteAudit(context, flags);
  await opened.preflight();
  const joined = words.minds === 'drift' ? await withoutDrift(all) : [];
  const directory = stateDirectory(context, plan);
  const auditLog = flags.auditLog ?? join(directory, 'audit.ndjson');
  const backups = flags.backups ?? join(directory, 'backups');
  const preview = {
    plan,
    record,
    ...cluster.describe,
    joined,
    auditLog,
    backups,
  };
  const colours = pico.createColors(wantsColour(context));
  context.process.stderr.write(previewText(preview, textWidth(context), colours));
  if (!flags.yes && !(await agreed(context, plan.cluster.name))) {
    context.process.stderr.write('Nothing was changed.\n');
    context.process.exitCode = EXIT.interrupted;
    return;
  }
  const audit = await openAuditFile(auditLog, Date.now, (line) => remote?.send(line));
  try {
    await remote?.begin(auditLine({ type: 'begin', plan: plan.id }, Date.now()));
    await execute(all, { audit, remote, backups });
  } finally {
    await audit.close();
    const left = (await remote?.close()) ?? 0;
    if (left > 0)
      context.process.stderr.write(
        `${remote?.place() ?? ''} does not have the last ${left} lines of the audit log; ${audit.path} has them.\n`,
      );
  }
}

function remoteAudit(
  { process: { env = {} } }: CliContext,
  { audit, auditRequired }: ChangeFlags,
): RemoteAudit | undefined {
  if (audit === undefined) {
    if (!auditRequired) return undefined;
    throw new RegaugeError('usage', '--audit-required needs an address', {
      hint: 'Say with --audit where the audit log is to be sent.',
    });
  }
  const token = env['REGAUGE_AUDIT_TOKEN'];
  const own = token === undefined || token === '' ? {} : { token };
  return new RemoteAudit({
    url: auditAddress(audit),
    isRequired: auditRequired,
    now: Date.now,
    ...own,
  });
}

/** Refuses a cluster that is not as the plan takes it; the nodes that joined, which is no reason. */
async function withoutDrift({
  context,
  flags,
  opened,
  beginning: { plan, record },
  nodes,
}: Change): Promise<readonly string[]> {
  const { facts, target } = await readLiveFacts(context, flags, {
    plan,
    nodes,
    nodeHost: opened.ports.nodeHost,
    ...(flags.target === undefined ? {} : { target: flags.target }),
    ...(flags.talosVersion === undefined ? {} : { talosVersion: flags.talosVersion }),
    ...(flags.ciliumVersion === undefined ? {} : { ciliumVersion: flags.ciliumVersion }),
  });
  refuseDrift(
    record === undefined
      ? driftFrom(plan, facts, target === undefined ? {} : { target })
      : driftUnderWay(plan, facts),
    flags,
    record !== undefined,
  );
  return nodesJoined(plan, facts);
}

function refuseDrift(
  found: readonly Drift[],
  { acceptDrift }: Pick<MigrateFlags, 'acceptDrift'>,
  goesOn: boolean,
): void {
  const accepted = new Set(acceptDrift?.split(',').map((fact) => fact.trim()));
  const left = found.filter(({ fact }) => fact === 'cluster' || !accepted.has(fact));
  if (left.length === 0) return;
  const facts = left.map(({ fact, message }) => `${fact} (${message})`).join('; ');
  const names = left.map(({ fact }) => fact).filter((fact) => fact !== 'cluster');
  const accept =
    names.length === 0 ? '' : ` If it is of no matter: --accept-drift ${names.join(',')}.`;
  throw new RegaugeError(
    'refused',
    `the cluster is not as ${goesOn ? 'the run under way left it' : 'the plan found it'}; changed since: ${facts}`,
    {
      hint: goesOn
        ? `Put it back, or take the run back with regauge rollback.${accept}`
        : `Make the plan again: regauge plan --live --out plan.${accept}`,
    },
  );
}

async function agreed({ process: { stderr, stdin } }: CliContext, name: string): Promise<boolean> {
  stderr.write(`Change ${name}? [y/N] `);
  return /^y(es)?$/i.test(await lineFrom(stdin));
}

interface Logs {
  readonly audit: AuditFile;
  readonly remote: RemoteAudit | undefined;
  readonly backups: string;
}

async function execute(
  { context, flags, opened, beginning, words }: Change,
  { audit, remote, backups }: Logs,
): Promise<void> {
  const { plan, record } = beginning;
  const colours = pico.createColors(wantsColour(context));
  const view = new RunView(planWith(plan, record?.joined ?? []));
  const progress = await runProgress(context.process.stderr, view, colours);
  const control = new RunControl();
  const unlisten = listenForStops(control, context.process.stdin, (message) =>
    progress.say(message),
  );
  remote?.watch({ say: (message) => progress.say(message), pause: () => control.pause() });
  const onEvent = (event: RunEvent): void => {
    view.onEvent(event);
    if (flags.output === 'ndjson') context.process.stdout.write(`${JSON.stringify(event)}\n`);
    progress.onEvent(event);
  };
  let result: RunResult;
  try {
    result = await migrate({
      plan,
      ports: opened.ports,
      leaseKubernetes: opened.leaseKubernetes,
      leaseClock: opened.leaseClock,
      wallTime: Date.now,
      holder: holder(),
      takeOver: flags.takeOver,
      control,
      audit,
      auditPlace: `${hostname()}:${audit.path}`,
      otherBackups: backupDirectory(backups),
      onEvent,
      onGrown: (whole) => view.grows(whole),
      onWait: (message) => progress.say(message),
      ...(flags.gateTimeout === undefined ? {} : { gateTimeoutSeconds: flags.gateTimeout }),
      budgets: flags.budget === undefined ? DEFAULT_BUDGETS : parseBudgets(flags.budget),
    });
  } finally {
    unlisten();
    progress.finish();
  }
  tellEnd(context, flags, { beginning, result, control, audit, words });
}

/** Of this process alone, and of use to whoever looks for it. */
function holder(): string {
  return `${userInfo().username}@${hostname()}/${process.pid}-${randomBytes(3).toString('hex')}`;
}

interface End {
  readonly beginning: Beginning;
  readonly result: RunResult;
  readonly control: RunControl;
  readonly audit: AuditFile;
  readonly words: ChangeWords;
}

function tellEnd(context: CliContext, flags: ChangeFlags, end: End): void {
  const { beginning, result, control, audit } = end;
  const { plan } = beginning;
  context.process.exitCode = exitOf(result, control);
  if (flags.output === 'json' || flags.output === 'yaml') {
    const { outcome, done, failed, halted, seconds } = result;
    const document: RunResultDocument = {
      apiVersion: 'regauge.dev/v1',
      kind: 'RunResult',
      planId: plan.id,
      outcome,
      done: done.length,
      total: result.total,
      seconds,
      ...(failed === undefined ? {} : { failed }),
      ...(halted === undefined ? {} : { halted }),
      auditLog: audit.path,
    };
    writeDocument(context, flags.output, document);
    return;
  }
  context.process.stderr.write(`${endInWords(end).join('\n')}\n`);
}

function exitOf({ outcome }: RunResult, control: RunControl): number {
  if (outcome === 'done') return EXIT.clean;
  if (outcome === 'paused') return EXIT.interrupted;
  return outcome === 'halted' && control.isStopped ? EXIT.interrupted : EXIT.findings;
}

function endInWords({ beginning: { plan }, result, audit, words }: End): readonly string[] {
  const { outcome, done, failed, halted, total } = result;
  const progress = `${done.length} of ${total} steps are done`;
  const on = `Go on, from any machine: ${words.goOn}`;
  switch (outcome) {
    case 'done':
      return [words.done(plan)];
    case 'paused':
      return [`Paused at a safe point: ${progress}. It may stay so.`, on];
    case 'halted':
      return [
        `Ended: ${halted?.message ?? ''}. ${progress}.`,
        (halted?.steps.length ?? 0) === 0
          ? 'No step was under way.'
          : `Under way, and to be gone on with: ${halted?.steps.join(', ') ?? ''}`,
        `${on}. What was sent is in ${audit.path}`,
      ];
    case 'stopped':
      return [
        `Stopped at ${failed?.step ?? 'an unknown step'}: ${failed?.message ?? ''}`,
        `${progress}. When it is mended: ${words.goOn}. ${words.otherwise}`,
        `What was changed is in ${audit.path}`,
      ];
  }
}
