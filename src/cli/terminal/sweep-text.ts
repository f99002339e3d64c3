/** A sweep of faults for people: how likely a clean end is, what broke, the worst and how to see it. */
import type { Colors } from 'picocolors/types.js';
import {
  type CounterExample,
  type FaultSweep,
  type OutcomeCounts,
  SWEEP_OUTCOMES,
} from '../../model/fault-sweep.ts';
import type { Rehearsal } from '../../model/rehearsal.ts';
import { plural, showMilliseconds, showSeconds } from '../../report/duration.ts';
import { wrapText } from './wrap-text.ts';

export interface SweepTextOptions {
  readonly nodes: number;
  readonly width: number;
}

const STEPS_SHOWN = 10;

const MEANING: Readonly<Record<(typeof SWEEP_OUTCOMES)[number], string>> = {
  clean: 'done at the first go',
  resumed: 'done after it was run again',
  stopped: 'stopped, with nothing worse than the fault itself',
  broken: 'something happened that must never happen',
};

export function sweepText(
  sweep: FaultSweep,
  { nodes, width }: SweepTextOptions,
  colours: Colors,
): string {
  const { rehearsals, planned, seed } = sweep;
  const cut = rehearsals < planned ? `, ${planned} were asked for` : '';
  const last = seed + Math.max(0, rehearsals - 1);
  return [
    '',
    colours.bold(`Faults, swept over ${sweep.name}`),
    colours.dim(
      `${plural(rehearsals, 'rehearsal')} of ${plural(nodes, 'node')}, seeds ${seed} to ${last}${cut}. Nothing real was touched.`,
    ),
    '',
    ...headline(sweep, colours),
    '',
    ...byFault(sweep, colours),
    ...bySteps(sweep, colours),
    ...brokenPromises(sweep, width, colours),
    ...examples(sweep, width, colours),
    '',
  ].join('\n');
}

function headline(sweep: FaultSweep, colours: Colors): readonly string[] {
  const { clean, outcomes, makespanSeconds, podOutageSeconds, longestPathGapMs } = sweep;
  return [
    `  P(clean)   ${colours.bold(percent(clean.share))}  (95 %: ${percent(clean.low)} to ${percent(clean.high)})`,
    ...SWEEP_OUTCOMES.map((outcome) => {
      const count = String(outcomes[outcome]).padStart(6);
      const shown = outcome === 'broken' && outcomes.broken > 0 ? colours.red(count) : count;
      return `  ${outcome.padEnd(9)}${shown}  ${colours.dim(MEANING[outcome])}`;
    }),
    '',
    `  Makespan             p50 ${showSeconds(makespanSeconds.p50)}, p99 ${showSeconds(makespanSeconds.p99)}`,
    `  Longest pod outage   p50 ${showSeconds(podOutageSeconds.p50)}, p99 ${showSeconds(podOutageSeconds.p99)}`,
    `  Longest path gap     p50 ${showMilliseconds(longestPathGapMs.p50)}, p99 ${showMilliseconds(longestPathGapMs.p99)}`,
  ];
}

function byFault({ faults }: FaultSweep, colours: Colors): readonly string[] {
  const width = Math.max(5, ...faults.map(({ fault }) => fault.length));
  return [
    `  ${colours.bold('Fault'.padEnd(width))}${SWEEP_OUTCOMES.map((name) => name.padStart(9)).join('')}`,
    ...faults.map(({ fault, outcomes }) => `  ${fault.padEnd(width)}${cells(outcomes, colours)}`),
  ];
}

/** Only where something was not clean, most first. */
function bySteps({ steps }: FaultSweep, colours: Colors): readonly string[] {
  const telling = steps
    .filter(({ outcomes }) => outcomes.stopped + outcomes.broken > 0)
    .toSorted((left, right) => weight(right.outcomes) - weight(left.outcomes))
    .slice(0, STEPS_SHOWN);
  if (telling.length === 0) return [];
  const width = Math.max(4, ...telling.map(({ step }) => step.length));
  return [
    '',
    `  ${colours.bold('Step'.padEnd(width))}${SWEEP_OUTCOMES.map((name) => name.padStart(9)).join('')}`,
    ...telling.map(({ step, outcomes }) => `  ${step.padEnd(width)}${cells(outcomes, colours)}`),
  ];
}

function weight({ stopped, broken }: OutcomeCounts): number {
  return broken * 1000 + stopped;
}

function cells(outcomes: OutcomeCounts, colours: Colors): string {
  return SWEEP_OUTCOMES.map((outcome) => {
    const count = outcomes[outcome];
    const cell = (count === 0 ? '·' : String(count)).padStart(9);
    if (count === 0) return colours.dim(cell);
    return outcome === 'broken' ? colours.red(cell) : cell;
  }).join('');
}

function brokenPromises({ broken }: FaultSweep, width: number, colours: Colors): readonly string[] {
  if (broken.length === 0) return [];
  return [
    '',
    colours.bold('What broke'),
    ...broken.flatMap(({ what, rehearsals, firstSeed, message }) => [
      `  ${colours.red('✗')} ${what} (${plural(rehearsals, 'rehearsal')}, first with seed ${firstSeed})`,
      ...wrapText(message, width - 6).map((line) => `      ${line}`),
    ]),
  ];
}

function examples(
  { worst, shrunk }: FaultSweep,
  width: number,
  colours: Colors,
): readonly string[] {
  if (worst === null) return [];
  return [
    '',
    colours.bold('The worst'),
    ...exampleLines(worst, width, colours),
    ...(shrunk === null
      ? []
      : [
          '',
          colours.bold(`As small as it gets (${plural(shrunk.tried, 'more rehearsal')})`),
          ...exampleLines(shrunk, width, colours),
        ]),
  ];
}

function exampleLines(
  { seed, faults, outcome, broke, stoppedAt, command }: CounterExample,
  width: number,
  colours: Colors,
): readonly string[] {
  const said = [
    ...broke.map(({ what, message }) => `${what}: ${message}`),
    ...(stoppedAt === undefined ? [] : [`stopped at ${stoppedAt.step}: ${stoppedAt.message}`]),
  ];
  return [
    `  seed ${seed}, ${outcome}: ${faults.join(' and ')}`,
    ...said.flatMap((text) => wrapText(text, width - 4).map((line) => `    ${line}`)),
    `  ${colours.cyan(command)}`,
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Of one rehearsal: what struck, when, and what it came to. */
export function underFaultsLines(
  { underFaults }: Rehearsal,
  width: number,
  colours: Colors,
): readonly string[] {
  if (underFaults === undefined) return [];
  const { faults, outcome, broke, runs } = underFaults;
  const again = runs > 1 ? `, run ${runs} times` : '';
  return [
    '',
    colours.bold(`Under faults: ${outcome}${again}`),
    ...faults.map(({ fault, at }) =>
      at === null ? `  ${fault} did not strike` : `  ${fault} struck at ${showSeconds(at)}`,
    ),
    ...broke.flatMap(({ what, message }) =>
      wrapText(`${what}: ${message}`, width - 6).map(
        (line, index) => `    ${index === 0 ? colours.red('✗') : ' '} ${line}`,
      ),
    ),
  ];
}
