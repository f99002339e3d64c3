/** What `regauge incident` says at its end: the runs side by side, the causes, where the report is. */
import type { Colors } from 'picocolors/types.js';
import type { LabelledRehearsal } from '../../report/comparison.ts';
import { plural } from '../../report/duration.ts';
import { causeTree } from './cause-tree.ts';
import { sideBySide } from './side-by-side.ts';
import { wrapText } from './wrap-text.ts';

export interface IncidentSummary {
  readonly title: string;
  readonly subtitle: string;
  readonly runs: readonly LabelledRehearsal[];
  /** Where the report was written. */
  readonly report: string;
}

export function incidentSummary(
  { title, subtitle, runs, report }: IncidentSummary,
  width: number,
  colours: Colors,
): string {
  const failed = runs.filter(({ rehearsal }) => rehearsal.failures.length > 0);
  const assumptions = runs.flatMap(({ rehearsal }) => rehearsal.assumptions);
  return [
    '',
    colours.bold(title),
    colours.dim(subtitle),
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
