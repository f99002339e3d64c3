/** Real against twin: the measured case is replayed on the twin, and each step's two answers compared. */
import { isDeepStrictEqual } from 'node:util';
import type { TruthCase, TruthFile } from '../truth/cases.ts';
import { replay } from '../truth/replay.ts';

export interface Comparison {
  readonly same: boolean;
  /** Both transcripts, a line per step where they agree and two where they do not. */
  readonly transcript: readonly string[];
}

export function compare(version: string, flannel: string, measured: TruthCase): Comparison {
  const truth: TruthFile = {
    name: `containerd-${version}`,
    kind: 'containerd',
    version,
    flannel,
    cases: [measured],
  };
  let agree = true;
  const several = measured.setup.runtimeConfig.maxConfNum !== 1;
  const transcript = replay(truth, measured).flatMap(({ expected, actual }, index) => {
    const step = measured.steps[index];
    const answers = [plain(expected), plain(actual)];
    const [real, twin] = step?.op === 'ipam' ? answers.map(sorted) : answers;
    const what = shown(step);
    const same = several && bothRefused(real, twin) ? true : isDeepStrictEqual(real, twin);
    if (same) return [`    ${what}  ${JSON.stringify(real)}`];
    agree = false;
    const [first, second] = [JSON.stringify(real), JSON.stringify(twin)];
    return [`  ≠ ${what}`, `      real ${first}`, `      twin ${second}`];
  });
  return { same: agree, transcript };
}

/** Networks are attached side by side: of several that fail, chance decides which is told. */
function bothRefused(real: unknown, twin: unknown): boolean {
  return [real, twin].every(
    (answer) =>
      typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === false,
  );
}

/** Lists in an order that does not depend on who read the directory. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => JSON.stringify(one)).sort();
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, sorted(one)]));
}

/** As JSON has it: what is undefined is not there. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

const ASKED = ['label', 'pod', 'action', 'name', 'from', 'to', 'path', 'content'];

function shown(step: TruthCase['steps'][number] | undefined): string {
  if (step === undefined) return '';
  const words = ASKED.map((key) => step[key]).filter((value) => typeof value === 'string');
  return [step.op, ...words].join(' ').replaceAll('\n', ' ');
}
