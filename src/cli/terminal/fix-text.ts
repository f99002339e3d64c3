/** A search for a fix, for people: what is wrong, what helps and what it costs, what was tried. */
import type { Colors } from 'picocolors/types.js';
import type { FixFound, FixSearch, Trial } from '../../model/fix-search.ts';
import { plural, showSeconds } from '../../report/duration.ts';
import { wrapText } from './wrap-text.ts';

export function fixText(search: FixSearch, width: number, colours: Colors): string {
  const { of, rehearsals, seed, before, fixes } = search;
  const each = of === 'sweep' ? 'rehearsal with faults' : 'rehearsal';
  return [
    '',
    colours.bold('A plan that ends clean'),
    colours.dim(
      `Each trial: ${plural(rehearsals, each)}, seeds ${seed} to ${seed + rehearsals - 1}. Nothing real was touched.`,
    ),
    '',
    ...wrapText(`As it is: ${trialWords(before)}`, width - 2).map((line) => `  ${line}`),
    '',
    ...(before.verdict === 'clean'
      ? ['  There is nothing to fix.']
      : fixes.length === 0
        ? nothingFound(search, width)
        : [
            ...fixes.flatMap((fix, index) => fixLines(fix, index + 1, width, colours)),
            ...others(search, colours),
          ]),
    '',
    '',
  ].join('\n');
}

function trialWords({ verdict, outcome, outcomes, makespanSeconds, why }: Trial): string {
  const words =
    verdict === 'refused'
      ? ''
      : outcomes === undefined
        ? (outcome ?? verdict)
        : `${outcomes.broken} of ${Object.values(outcomes).reduce((sum, count) => sum + count, 0)} broken`;
  const time = makespanSeconds === undefined ? '' : ` after ${showSeconds(makespanSeconds)}`;
  return [`${words}${time}`, why].filter((part) => part !== '' && part !== undefined).join(': ');
}

function fixLines(
  fix: FixFound,
  number: number,
  width: number,
  colours: Colors,
): readonly string[] {
  const { changes, costs, command, makespanSeconds = 0 } = fix;
  return [
    `  ${colours.bold(`${number}. ${changes.map(({ change }) => change).join('; and ')}`)}`,
    ...changes.flatMap(({ because }) => wrapText(because, width - 5).map((line) => `     ${line}`)),
    `     ${colours.dim('ends clean after')} ${showSeconds(makespanSeconds)}${costs === null ? '' : ` (${signed(costs.makespanSeconds)}; longest pod outage ${signed(costs.podOutageSeconds)})`}`,
    ...changes.flatMap(({ patch }) =>
      patch === undefined
        ? []
        : [
            `     ${colours.dim('in')} ${patch.file}${colours.dim(':')}`,
            ...patch.yaml
              .trimEnd()
              .split('\n')
              .map((line) => `       ${line}`),
          ],
    ),
    `     ${colours.dim('then')} ${command}`,
    '',
  ];
}

function signed(seconds: number): string {
  if (seconds === 0) return 'the same';
  return `${showSeconds(Math.abs(seconds))} ${seconds > 0 ? 'more' : 'less'}`;
}

function others({ tried, fixes }: FixSearch, colours: Colors): readonly string[] {
  return [
    colours.dim(`  ${plural(tried.length - fixes.length, 'other trial')} did not end clean.`),
  ];
}

function nothingFound({ tried, candidates, exhausted }: FixSearch, width: number): string[] {
  const all = exhausted ? '' : ' The search was given up there; larger sets were not tried.';
  const words =
    candidates.length === 0
      ? 'Nothing was found that could be changed: no choice of the planner, and no correction of the values.'
      : `No fix was found: ${plural(tried.length, 'set')} of ${plural(candidates.length, 'change')} were tried.${all}`;
  return [
    ...wrapText(words, width - 2).map((line) => `  ${line}`),
    '',
    ...tried.flatMap(({ changes, ...trial }) =>
      wrapText(`${changes.join(' + ')}: ${trialWords(trial)}`, width - 4).map(
        (line, index) => `  ${index === 0 ? '-' : ' '} ${line}`,
      ),
    ),
  ];
}
