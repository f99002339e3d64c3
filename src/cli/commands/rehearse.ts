/** `regauge rehearse`: a plan, or somebody's own runbook, played on a twin of the cluster. */
import pico from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { RegaugeError } from '../../base/errors.ts';
import type { Plan } from '../../model/plan.ts';
import type { Rehearsal } from '../../model/rehearsal.ts';
import type { RunEvent } from '../../model/run-event.ts';
import { driftOf } from '../../planner/plan-migration.ts';
import { verdict } from '../../report/comparison.ts';
import { type CliContext, EXIT, textWidth, wantsColour } from '../context.ts';
import type { RehearseFlags } from '../flags.ts';
import { liveFiles } from '../given-files.ts';
import { leftOutSection } from '../left-out.ts';
import { writeDocument } from '../output-format.ts';
import { readPlan } from '../plan-file.ts';
import { type ClusterRead, readCluster } from '../read-cluster.ts';
import {
  planFor,
  play,
  type RehearsalSubject,
  type Stage,
  stageFor,
} from '../rehearsal-session.ts';
import { writeReport } from '../report-file.ts';
import { causeTree } from '../terminal/cause-tree.ts';
import { failedStepLines } from '../terminal/failed-steps.ts';
import { startProgress } from '../terminal/progress.ts';
import { sideBySide } from '../terminal/side-by-side.ts';
import { wrapText } from '../terminal/wrap-text.ts';

export async function run(
  this: CliContext,
  flags: RehearseFlags,
  ...paths: string[]
): Promise<void> {
  if (flags.runbook !== undefined && flags.plan !== undefined) {
    throw new RegaugeError('usage', 'give --runbook or --plan, not both');
  }
  const { stage, subject, told } = await prepare(this, flags, paths);
  const colours = pico.createColors(wantsColour(this));
  const label = flags.runbook === undefined ? 'The plan' : 'The runbook';
  const progress = flags.events ? undefined : await startProgress(this, label, colours);
  const onEvent = (event: RunEvent): void => {
    if (progress === undefined) this.process.stdout.write(`${JSON.stringify(event)}\n`);
    else progress.onEvent(event);
  };
  const { rehearsal } = await play(stage, { ...subject, onEvent });
  progress?.finish(verdict(rehearsal));
  this.process.exitCode = rehearsal.outcome === 'clean' ? EXIT.clean : EXIT.findings;
  show(this, flags, { label, rehearsal }, told, colours);
}

interface Prepared {
  readonly stage: Stage;
  readonly subject: RehearsalSubject;
  readonly told: Told;
}

/** What is shown of what was read. */
type Told = Pick<ClusterRead, 'runbook' | 'leftOut' | 'bundles'>;

/** Apart from the run, which must not hold on to what was read: it is most of a large twin. */
async function prepare(
  context: CliContext,
  flags: RehearseFlags,
  paths: readonly string[],
): Promise<Prepared> {
  const read = await readCluster({
    paths,
    stdin: context.process.stdin,
    live: await liveFiles(context, flags),
    ...(flags.target === undefined ? {} : { target: flags.target }),
    ...(flags.runbook === undefined ? {} : { runbook: flags.runbook }),
    ...(flags.ciliumVersion === undefined ? {} : { ciliumVersion: flags.ciliumVersion }),
    ...(flags.talosVersion === undefined ? {} : { talosVersion: flags.talosVersion }),
  });
  const { input, runbook, leftOut, bundles } = read;
  const subject = subjectOf(flags, read);
  return {
    subject,
    stage: stageFor(input, flags.seed ?? 1),
    told: { runbook, leftOut, bundles },
  };
}

function subjectOf(flags: RehearseFlags, read: ClusterRead): RehearsalSubject {
  if (read.runbook !== undefined) return { runbook: read.runbook };
  if (flags.plan !== undefined) return { plan: knownPlan(flags.plan, read) };
  const { plan } = planFor(
    read.input,
    {
      ...(read.target === undefined ? {} : { target: read.target }),
      ...(flags.ciliumVersion === undefined ? {} : { chartVersion: flags.ciliumVersion }),
      ...(flags.strategy === undefined ? {} : { strategy: flags.strategy }),
    },
    flags.talosVersion === undefined ? {} : { talosVersion: flags.talosVersion },
  );
  return { plan };
}

/** A plan is for one state of one cluster. */
function knownPlan(path: string, { facts, target }: ClusterRead): Plan {
  const plan = readPlan(path);
  const drift = driftOf(plan, facts, target === undefined ? {} : { target });
  if (drift.length === 0) return plan;
  throw new RegaugeError(
    'refused',
    `${path} was made for another state of the cluster; changed since: ${drift.join(', ')}`,
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
