/** `regauge rehearse`: a plan, or somebody's own runbook, played on a twin of the cluster. */
import pico from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { RegaugeError } from '../../base/errors.ts';
import type { Plan } from '../../model/plan.ts';
import type { Rehearsal } from '../../model/rehearsal.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { driftFrom } from '../../planner/drift.ts';
import { verdict } from '../../report/comparison.ts';
import { type CliContext, EXIT, textWidth, wantsColour } from '../context.ts';
import { readStrike } from '../../twin/faults/fault-text.ts';
import { rehearseWithFaults } from '../faults/faulted-rehearsal.ts';
import { sweepNodesOf } from '../faults/sweep.ts';
import type { RehearseFlags } from '../flags.ts';
import { liveFiles } from '../input/given-files.ts';
import { leftOutSection } from '../left-out.ts';
import { planAsked } from '../input/plan-asked.ts';
import { writeDocument } from '../output-format.ts';
import { readPlan } from '../input/plan-file.ts';
import {
  clusterIn,
  type ClusterMaterial,
  type ClusterRead,
  readMaterial,
} from '../input/read-cluster.ts';
import { play, type RehearsalSubject, type Stage, stageFor } from '../rehearsal-session.ts';
import { writeReport } from '../report-file.ts';
import { causeTree } from '../terminal/cause-tree.ts';
import { failedStepLines } from '../terminal/failed-steps.ts';
import { type Progress, startProgress } from '../terminal/progress.ts';
import { sideBySide } from '../terminal/side-by-side.ts';
import { underFaultsLines } from '../terminal/sweep-text.ts';
import { wrapText } from '../terminal/wrap-text.ts';

export async function run(
  this: CliContext,
  flags: RehearseFlags,
  ...paths: string[]
): Promise<void> {
  if (flags.runbook !== undefined && flags.plan !== undefined) {
    throw new RegaugeError('usage', 'give --runbook or --plan, not both');
  }
  const colours = pico.createColors(wantsColour(this));
  if (flags.fix === true) {
    refuseFix(flags);
    const { runFix } = await import('../fix/fix-command.ts');
    await runFix(this, flags, { material: await readGiven(this, flags, paths), paths }, colours);
    return;
  }
  if (flags.rollback !== undefined) {
    await runRollbacks(this, flags, paths, colours);
    return;
  }
  if (flags.faults === true || flags.fault !== undefined) {
    await runWithFaults(this, flags, paths, colours);
    return;
  }
  const { stage, subject, told } = await prepare(this, flags, paths);
  const label = flags.runbook === undefined ? 'The plan' : 'The runbook';
  const { progress, onEvent } = await follow(this, flags, label, colours);
  const { rehearsal } = await play(stage, { ...subject, onEvent });
  progress?.finish(verdict(rehearsal));
  this.process.exitCode = rehearsal.outcome === 'clean' ? EXIT.clean : EXIT.findings;
  show(this, flags, { label, rehearsal }, told, colours);
}

/** What a search changes is the plan that regauge makes; what others made is theirs to change. */
function refuseFix({ runbook, plan, rollback, fault, faults }: RehearseFlags): void {
  const refusal =
    runbook !== undefined
      ? "--fix changes regauge's own plan; the commands of a runbook are a person's, and are not changed. Rehearse it without --fix to see why it fails, or leave --runbook out"
      : plan !== undefined
        ? '--fix makes the plan anew with each change; give --target instead of --plan'
        : rollback !== undefined
          ? '--fix looks for a way there; give it without --rollback'
          : fault !== undefined && faults !== true
            ? '--fix takes a sweep, not one fault: add --faults, and --fault then says what is swept'
            : undefined;
  if (refusal !== undefined) throw new RegaugeError('usage', refusal);
}

/** Who hears of the run while it goes: a person, or a program with `--events`. */
async function follow(
  context: CliContext,
  flags: RehearseFlags,
  label: string,
  colours: Colors,
): Promise<{ progress: Progress | undefined; onEvent: (event: RunEvent) => void }> {
  const progress = flags.events ? undefined : await startProgress(context, label, colours);
  return {
    progress,
    onEvent: (event) => {
      if (progress === undefined) context.process.stdout.write(`${JSON.stringify(event)}\n`);
      else progress.onEvent(event);
    },
  };
}

/** The way back, from point after point. */
async function runRollbacks(
  context: CliContext,
  flags: RehearseFlags,
  paths: readonly string[],
  colours: Colors,
): Promise<void> {
  const { read, plan } = await readPlanned(
    context,
    flags,
    paths,
    'the way back is that of a plan, not of a runbook',
  );
  if (flags.rollback === undefined) return;
  const { rehearseRollbacks } = await import('../rollback-rehearsal.ts');
  const { rollbackText } = await import('../terminal/rollback-text.ts');
  const document = await rehearseRollbacks({
    input: read.input,
    plan,
    seed: flags.seed ?? 1,
    points: flags.rollback,
    onPoint: ({ after, outcome }, done, all) =>
      context.process.stderr.write(`${done} of ${all}: after ${after}: ${outcome}\n`),
  });
  context.process.exitCode = document.outcome === 'clean' ? EXIT.clean : EXIT.findings;
  if (flags.output === 'text') context.process.stdout.write(rollbackText(document, colours));
  else writeDocument(context, flags.output, document);
}

/** Many rehearsals, or one, in which something goes wrong; each has a twin of its own. */
async function runWithFaults(
  context: CliContext,
  flags: RehearseFlags,
  paths: readonly string[],
  colours: Colors,
): Promise<void> {
  const { material, read, plan } = await readPlanned(
    context,
    flags,
    paths,
    'faults strike while a plan runs, not a runbook',
  );
  const { input, leftOut, bundles } = read;
  if (flags.faults === true) {
    const { runSweep } = await import('../faults/sweep-command.ts');
    await runSweep(context, flags, { input, material, plan, paths }, colours);
    return;
  }
  const nodes = sweepNodesOf(input).map(({ name }) => name);
  const strikes = (flags.fault ?? []).map((text) => readStrike(text, plan, nodes));
  const { progress, onEvent } = await follow(context, flags, 'The plan', colours);
  const seed = flags.seed ?? 1;
  const rehearsal = await rehearseWithFaults({ input, plan, seed, strikes, onEvent });
  progress?.finish(verdict(rehearsal));
  context.process.exitCode =
    rehearsal.underFaults?.outcome === 'broken' ? EXIT.findings : EXIT.clean;
  const told = { runbook: undefined, leftOut, bundles };
  show(context, flags, { label: 'The plan', rehearsal }, told, colours);
}

interface Planned {
  readonly material: ClusterMaterial;
  readonly read: ClusterRead;
  readonly plan: Plan;
}

/** What was given, and its plan; a runbook is refused with the reason. */
async function readPlanned(
  context: CliContext,
  flags: RehearseFlags,
  paths: readonly string[],
  notARunbook: string,
): Promise<Planned> {
  if (flags.runbook !== undefined) throw new RegaugeError('usage', notARunbook);
  const material = await readGiven(context, flags, paths);
  const read = clusterIn(material);
  return { material, read, plan: planOf(flags, read) };
}

interface Prepared {
  readonly stage: Stage;
  readonly subject: RehearsalSubject;
  readonly told: Told;
}

/** What is shown of what was read. */
type Told = Pick<ClusterRead, 'runbook' | 'leftOut' | 'bundles'>;

/** From about so many objects on (some 50 nodes) it pays that code which runs often is optimised soon. */
const OBJECTS_OF_A_LONG_RUN = 2_000;

/** Apart from the run, which must not hold on to what was read: it is most of a large twin. */
async function prepare(
  context: CliContext,
  flags: RehearseFlags,
  paths: readonly string[],
): Promise<Prepared> {
  const read = clusterIn(await readGiven(context, flags, paths));
  const { input, runbook, leftOut, bundles } = read;
  if (input.objects.length > OBJECTS_OF_A_LONG_RUN) context.process.onLongRun?.();
  const subject = subjectOf(flags, read);
  return {
    subject,
    stage: stageFor(input, flags.seed ?? 1),
    told: { runbook, leftOut, bundles },
  };
}

async function readGiven(
  context: CliContext,
  flags: RehearseFlags,
  paths: readonly string[],
): Promise<ClusterMaterial> {
  return readMaterial({
    paths,
    stdin: context.process.stdin,
    live: await liveFiles(context, flags),
    ...(flags.target === undefined ? {} : { target: flags.target }),
    ...(flags.runbook === undefined ? {} : { runbook: flags.runbook }),
    ...(flags.ciliumVersion === undefined ? {} : { ciliumVersion: flags.ciliumVersion }),
    ...(flags.talosVersion === undefined ? {} : { talosVersion: flags.talosVersion }),
  });
}

function subjectOf(flags: RehearseFlags, read: ClusterRead): RehearsalSubject {
  return read.runbook === undefined ? { plan: planOf(flags, read) } : { runbook: read.runbook };
}

/** The plan that was given, or the one regauge makes. */
function planOf(flags: RehearseFlags, read: ClusterRead): Plan {
  return flags.plan === undefined ? planAsked(flags, read) : knownPlan(flags.plan, read);
}

/** A plan is for one state of one cluster. */
function knownPlan(path: string, { facts, target }: ClusterRead): Plan {
  const plan = readPlan(path);
  const drift = driftFrom(plan, facts, target === undefined ? {} : { target });
  if (drift.length === 0) return plan;
  throw new RegaugeError(
    'refused',
    `${path} was made for another state of the cluster; changed since: ${drift.map(({ fact, message }) => `${fact} (${message})`).join('; ')}`,
    {
      hint: 'Make the plan again with regauge plan --out.',
    },
  );
}

function show(
  context: CliContext,
  flags: RehearseFlags,
  run: { readonly label: string; readonly rehearsal: Rehearsal },
  read: Told,
  colours: Colors,
): void {
  const { rehearsal } = run;
  const { nodes, pods } = rehearsal.summary;
  const title = `Rehearsal of ${rehearsal.name}`;
  const subtitle = `${nodes} nodes, ${pods} pods. Rehearsed on a twin of the cluster; nothing real was touched.`;
  const report =
    flags.report === undefined
      ? undefined
      : writeReport(flags.report, {
          title,
          subtitle,
          runs: [run],
          ...(read.runbook === undefined ? {} : { runbookSteps: read.runbook.steps }),
        });
  if (flags.output !== 'text') {
    if (!flags.events) writeDocument(context, flags.output, rehearsal);
    return;
  }
  const width = textWidth(context);
  const lines = [
    '',
    colours.bold(title),
    colours.dim(subtitle),
    '',
    sideBySide([run], colours),
    ...underFaultsLines(rehearsal, width, colours),
    ...failedStepLines(rehearsal, width, colours),
    ...(rehearsal.failures.length === 0
      ? []
      : ['', colours.bold('Why'), '', causeTree(rehearsal, width, colours)]),
    ...assumptions(rehearsal, width, colours),
    leftOutSection(read, colours),
    ...(report === undefined ? [] : ['', `Report: ${colours.underline(report)}`]),
    '',
  ];
  const stream = flags.events ? context.process.stderr : context.process.stdout;
  stream.write(lines.join('\n'));
}

const ASSUMPTIONS_SHOWN = 10;

function assumptions(
  { assumptions: all }: Rehearsal,
  width: number,
  colours: Colors,
): readonly string[] {
  if (all.length === 0) return [];
  return [
    '',
    colours.bold(`Assumed, since it was not read (${all.length})`),
    ...all.slice(0, ASSUMPTIONS_SHOWN).flatMap(({ about, assumed, because, command }) => {
      const how = command === undefined ? '' : ` To know: ${command}`;
      return wrapText(`${about}: ${assumed}; ${because}.${how}`, width - 4).map(
        (line, index) => `  ${index === 0 ? '-' : ' '} ${line}`,
      );
    }),
  ];
}
