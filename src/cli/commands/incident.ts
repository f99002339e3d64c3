/**
 * `regauge incident`, and the main job of `npm start`: the cluster of a published incident, rehearsed
 * as it was done and as regauge plans it, side by side, with the causes and a report.
 */
import pico from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { type LabelledRehearsal, verdict } from '../../report/comparison.ts';
import { plural } from '../../report/duration.ts';
import { type CliContext, EXIT, textWidth, wantsColour } from '../context.ts';
import type { IncidentFlags } from '../flags.ts';
import { type Incident, loadIncident } from '../incident-data.ts';
import { planFor, rehearse } from '../rehearsal-session.ts';
import { writeReport } from '../report-file.ts';
import { causeTree } from '../terminal/cause-tree.ts';
import { startProgress } from '../terminal/progress.ts';
import { sideBySide } from '../terminal/side-by-side.ts';
import { wrapText } from '../terminal/wrap-text.ts';

const TITLE = 'From Flannel to Cilium on Talos: as it was done, and as regauge plans it';

export async function run(this: CliContext, flags: IncidentFlags): Promise<void> {
  const colours = pico.createColors(wantsColour(this));
  const incident = loadIncident();
  const runs = await rehearseBoth(this, flags, incident, colours);
  const planned = runs.find(({ label }) => label === AS_PLANNED);
  this.process.exitCode =
    (planned ?? runs[0])?.rehearsal.outcome === 'clean' ? EXIT.clean : EXIT.findings;
  const content = {
    title: TITLE,
    subtitle: subtitleOf(runs),
    runs,
    runbookSteps: incident.runbook.steps,
    remembered: incident.remembered,
  };
  if (flags.output !== 'text') {
    const { writeDocument } = await import('../output-format.ts');
    if (flags.report !== undefined) writeReport(flags.report, content);
    writeDocument(this, flags.output, {
      apiVersion: 'regauge.dev/v1',
      kind: 'List',
      items: runs.map(({ rehearsal }) => rehearsal),
    });
    return;
  }
  this.process.stdout.write(
    summaryText(runs, writeReport(flags.report, content), textWidth(this), colours),
  );
}

const AS_DONE = 'As it was done';
const AS_PLANNED = 'As regauge plans it';

async function rehearseBoth(
  context: CliContext,
  flags: IncidentFlags,
  { input, runbook }: Incident,
  colours: Colors,
): Promise<readonly LabelledRehearsal[]> {
  const seed = flags.seed ?? 1;
  const wanted = [
    { label: AS_DONE, run: 'as-done', work: () => ({ runbook }) },
    { label: AS_PLANNED, run: 'as-planned', work: () => ({ plan: planFor(input).plan }) },
  ].filter(({ run: name }) => flags.run === 'both' || flags.run === name);
  const runs: LabelledRehearsal[] = [];
  for (const { label, work } of wanted) {
    const progress = startProgress(context, label, colours);
    const { rehearsal } = await rehearse({
      input,
      ...work(),
      seed,
      onEvent: (event) => progress.onEvent(event),
    });
    progress.finish(verdict(rehearsal));
    runs.push({ label, rehearsal });
  }
  return runs;
}

function subtitleOf(runs: readonly LabelledRehearsal[]): string {
  const { nodes = 0, pods = 0 } = runs[0]?.rehearsal.summary ?? {};
  return `${nodes} nodes, ${pods} pods. Rehearsed on a twin of the cluster; nothing real was touched.`;
}

function summaryText(
  runs: readonly LabelledRehearsal[],
  report: string,
  width: number,
  colours: Colors,
): string {
  const failed = runs.filter(({ rehearsal }) => rehearsal.failures.length > 0);
  const assumptions = runs.flatMap(({ rehearsal }) => rehearsal.assumptions);
  return [
    '',
    colours.bold(TITLE),
    colours.dim(subtitleOf(runs)),
    '',
    sideBySide(runs, colours),
    '',
    ...failed.flatMap(({ label, rehearsal }) => [
      colours.bold(`Why it ended like this (${label.toLowerCase()})`),
      '',
      causeTree(rehearsal, width, colours),
    ]),
    ...(assumptions.length === 0
      ? []
      : wrapText(
          `${plural(assumptions.length, 'assumption')} made for lack of input; the report lists them.`,
          width,
        )),
    `Report: ${colours.underline(report)}`,
    '',
  ].join('\n');
}
