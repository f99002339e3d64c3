/**
 * `regauge incident`, and the main job of `npm start`: the cluster of a published incident, rehearsed
 * as it was done and as regauge plans it, side by side, with the causes and a report.
 */
import pico from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { type LabelledRehearsal, verdict } from '../../report/comparison.ts';
import { type CliContext, EXIT, textWidth, wantsColour } from '../context.ts';
import type { IncidentFlags } from '../flags.ts';
import { incidentInput } from '../incident/incident-data.ts';
import type { Story } from '../incident/incident-story.ts';
import { planFor, rehearse } from '../rehearsal-session.ts';
import { startProgress } from '../terminal/progress.ts';

const TITLE = 'From Flannel to Cilium on Talos: as it was done, and as regauge plans it';

export async function run(this: CliContext, flags: IncidentFlags): Promise<void> {
  const colours = pico.createColors(wantsColour(this));
  const runs = await rehearseBoth(this, flags, colours);
  const planned = runs.find(({ label }) => label === AS_PLANNED);
  this.process.exitCode =
    (planned ?? runs[0])?.rehearsal.outcome === 'clean' ? EXIT.clean : EXIT.findings;
  if (flags.output === 'text') return showText(this, flags, runs, colours);
  const { writeDocument } = await import('../output-format.ts');
  if (flags.report !== undefined) await writeReport(flags.report, runs);
  writeDocument(this, flags.output, {
    apiVersion: 'regauge.dev/v1',
    kind: 'List',
    items: runs.map(({ rehearsal }) => rehearsal),
  });
}

/** Tables and pages are loaded when they are wanted. */
async function showText(
  context: CliContext,
  flags: IncidentFlags,
  runs: readonly LabelledRehearsal[],
  colours: Colors,
): Promise<void> {
  const { incidentSummary } = await import('../terminal/incident-summary.ts');
  const report = await writeReport(flags.report, runs);
  const width = textWidth(context);
  const content = { title: TITLE, subtitle: subtitleOf(runs), runs, report };
  context.process.stdout.write(incidentSummary(content, width, colours));
}

async function writeReport(
  path: string | undefined,
  runs: readonly LabelledRehearsal[],
): Promise<string> {
  const reports = await import('../report-file.ts');
  const { runbook, remembered } = await story();
  return reports.writeReport(path, {
    title: TITLE,
    subtitle: subtitleOf(runs),
    runs,
    runbookSteps: runbook.steps,
    remembered,
  });
}

async function story(): Promise<Story> {
  const { incidentStory } = await import('../incident/incident-story.ts');
  return incidentStory();
}

const AS_DONE = 'As it was done';
const AS_PLANNED = 'As regauge plans it';

async function rehearseBoth(
  context: CliContext,
  flags: IncidentFlags,
  colours: Colors,
): Promise<readonly LabelledRehearsal[]> {
  const seed = flags.seed ?? 1;
  const input = incidentInput();
  const wanted = [
    { label: AS_DONE, run: 'as-done', work: async () => ({ runbook: (await story()).runbook }) },
    { label: AS_PLANNED, run: 'as-planned', work: () => ({ plan: planFor(input).plan }) },
  ].filter(({ run: name }) => flags.run === 'both' || flags.run === name);
  const runs: LabelledRehearsal[] = [];
  for (const { label, work } of wanted) {
    const progress = await startProgress(context, label, colours);
    const { rehearsal } = await rehearse({
      input,
      ...(await work()),
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
