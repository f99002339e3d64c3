/**
 * A CheckReport for a person at a terminal: gravest first, each with its place, the line quoted, the
 * mechanism, the fix; then what could not be judged and the command that would tell; then the count.
 */
import { createColors } from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { SEVERITIES } from '../../model/finding.ts';
import type { CheckReport, Evidence, Finding, Severity, Unjudged } from '../../model/finding.ts';
import type { Checked } from './checked.ts';
import { leftOutLines, untoldLines } from '../left-out.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import { quoteLine } from './source-quote.ts';

export interface TextStyle {
  readonly colour: boolean;
  readonly width: number;
}

const INDENT = '  ';
const REFERENCES_SHOWN = 3;
const PLACES_SHOWN = 6;

export function renderCheck(
  { report, leftOut, bundles, lineOf }: Checked,
  style: TextStyle,
): string {
  const page: Page = {
    colours: createColors(style.colour),
    width: Math.max(style.width, 40),
    lineOf,
  };
  const blocks = [
    ...report.findings.map((finding) => findingLines(page, finding)),
    ...section(page, 'Not judged, for lack of', unjudgedLines(page, report.unknown)),
    ...section(
      page,
      'Not told',
      untoldLines(bundles).map((line) => `${INDENT}${line}`),
    ),
    ...section(
      page,
      'Left out',
      leftOutLines(leftOut).map((line) => `${INDENT}${line}`),
    ),
    [summaryLine(page, report)],
  ];
  return `${blocks.map((lines) => lines.map((line) => line.trimEnd()).join('\n')).join('\n\n')}\n`;
}

interface Page {
  readonly colours: Colors;
  readonly width: number;
  lineOf(file: string, line: number): string | undefined;
}

function findingLines(page: Page, finding: Finding): readonly string[] {
  const { colours } = page;
  const [first, ...others] = finding.evidence;
  const label = severityColour(colours, finding.severity)(finding.severity.toUpperCase());
  const certainty = finding.certainty === 'proven' ? '' : colours.dim(` (${finding.certainty})`);
  const [title = '', ...more] = wrapText(finding.title, page.width - finding.severity.length - 2);
  return [
    `${label}  ${colours.bold(title)}${more.length === 0 ? certainty : ''}`,
    ...more.map(
      (line, index) =>
        `${' '.repeat(finding.severity.length + 2)}${colours.bold(line)}${index === more.length - 1 ? certainty : ''}`,
    ),
    ...(first === undefined ? [] : placeLines(page, first)),
    ...indented(page, finding.message),
    ...otherPlaces(page, others),
    ...fixLines(page, finding),
    ...wrapText(footer(finding), page.width - INDENT.length).map(
      (line) => `${INDENT}${colours.dim(line)}`,
    ),
  ];
}

function severityColour(colours: Colors, severity: Severity): (text: string) => string {
  if (severity === 'critical') return (text) => colours.bold(colours.red(text));
  if (severity === 'high') return colours.red;
  if (severity === 'medium') return colours.yellow;
  return severity === 'low' ? colours.cyan : colours.dim;
}

/** The place, its line with a caret; or the value where there is no line. */
function placeLines(page: Page, evidence: Evidence): readonly string[] {
  const { colours } = page;
  const { file, line, column, path } = evidence;
  const quoted = file === undefined || line === undefined ? undefined : page.lineOf(file, line);
  if (quoted === undefined || line === undefined || quoted.trim() === '') {
    const at = path === undefined || path === '' ? '' : ` ${path}`;
    return [`${INDENT}${colours.cyan(evidence.source)}${at}${shownValue(evidence)}`];
  }
  const gutter = `${String(line).padStart(6)} ${colours.dim('|')} `;
  const blank = `${' '.repeat(6)} ${colours.dim('|')} `;
  const quote = quoteLine(quoted, column ?? 1, evidence.value, page.width - 10);
  return [
    `${INDENT}${colours.cyan(evidence.source)}`,
    `${gutter}${quote.text}`,
    `${blank}${quote.pad}${colours.red('^'.repeat(quote.length))}`,
  ];
}

function shownValue({ value }: Evidence): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return ` = ${text.length > 60 ? `${text.slice(0, 59)}…` : text}`;
}

function otherPlaces(page: Page, evidence: readonly Evidence[]): readonly string[] {
  if (evidence.length === 0) return [];
  const places = evidence.slice(0, PLACES_SHOWN).map((place) => {
    const at = place.file === undefined && place.path !== undefined ? ` ${place.path}` : '';
    return `${place.source}${at}${shownValue(place)}`;
  });
  const more = evidence.length > PLACES_SHOWN ? [`and ${evidence.length - PLACES_SHOWN} more`] : [];
  return [...places, ...more].map(
    (place, index) => `${INDENT}${index === 0 ? 'also' : '    '} ${page.colours.cyan(place)}`,
  );
}

function fixLines(page: Page, { fix }: Finding): readonly string[] {
  if (fix === null) return [];
  const { colours } = page;
  const [first = '', ...more] = wrapText(fix.summary, page.width - 7);
  return [
    `${INDENT}${colours.green('fix')}  ${first}`,
    ...more.map((line) => `${INDENT}     ${line}`),
    ...(fix.patch ?? '')
      .replace(/\n$/, '')
      .split('\n')
      .filter((line, index, all) => line !== '' || all.length > 1 || index > 0)
      .map((line) => `${INDENT}     ${colours.green(line)}`),
    ...(fix.command === undefined
      ? []
      : fix.command.split('\n').map((line) => `${INDENT}     ${colours.green(`$ ${line}`)}`)),
  ];
}

function footer({ hazard, covers, references }: Finding): string {
  const shown = references.slice(0, REFERENCES_SHOWN).join(', ');
  const more =
    references.length > REFERENCES_SHOWN ? ` +${references.length - REFERENCES_SHOWN}` : '';
  return [hazard, covers.join(' '), `${shown}${more}`].filter((part) => part !== '').join(' · ');
}

/** One line per thing that was not read, since one command settles several hazards. */
/** What would let how many hazards be judged, the most telling first; `-o json` names the hazards. */
function unjudgedLines(page: Page, unknown: readonly Unjudged[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { missing } of unknown) {
    for (const what of missing) counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([, left], [, right]) => right - left)
    .flatMap(([what, count]) => {
      const [first = '', ...more] = wrapText(what, page.width - 6);
      return [
        `${page.colours.dim(String(count).padStart(4))}  ${first}`,
        ...more.map((line) => `      ${line}`),
      ];
    });
}

function section(
  page: Page,
  title: string,
  lines: readonly string[],
): readonly (readonly string[])[] {
  return lines.length === 0 ? [] : [[page.colours.bold(title), ...lines]];
}

function summaryLine({ colours }: Page, { summary, findings }: CheckReport): string {
  const counts = SEVERITIES.filter((severity) => summary[severity] > 0).map((severity) =>
    severityColour(colours, severity)(`${summary[severity]} ${severity}`),
  );
  const found = findings.length === 0 ? colours.green('nothing found') : counts.join(', ');
  const unknown = summary.unknown === 0 ? '' : `; ${summary.unknown} could not be judged in full`;
  const hazards = `${summary.hazardsEvaluated} ${summary.hazardsEvaluated === 1 ? 'hazard' : 'hazards'} looked for`;
  return `${found}${unknown} (${hazards})`;
}

function indented(page: Page, text: string): readonly string[] {
  return wrapText(text, page.width - INDENT.length).map((line) => `${INDENT}${line}`);
}
