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
  let same = true;
  const answers = replay(truth, measured);
  const transcript = answers.flatMap(({ expected, actual }, index) => {
    const [real, twin] = [plain(expected), plain(actual)];
    const what = shown(measured.steps[index]);
    if (isDeepStrictEqual(real, twin)) return [`    ${what}  ${JSON.stringify(real)}`];
    same = false;
    return [
      `  ≠ ${what}`,
      `      real ${JSON.stringify(real)}`,
      `      twin ${JSON.stringify(twin)}`,
    ];
  });
  return { same, transcript };
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
