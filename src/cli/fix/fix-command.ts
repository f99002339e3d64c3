/** `regauge rehearse --fix`: what it starts from, the search, and what came of it. */
import type { Colors } from 'picocolors/types.js';
import { searchChanges, type Tried } from '../../engine/fix/search-changes.ts';
import type { FixFound, FixSearch, PlanChange, Trial } from '../../model/fix-search.ts';
import { type CliContext, EXIT, textWidth } from '../context.ts';
import { rehearseCommand } from '../faults/sweep-command.ts';
import { sweepNodesOf } from '../faults/sweep.ts';
import type { RehearseFlags } from '../flags.ts';
import { writeDocument } from '../output-format.ts';
import { clusterIn, type ClusterMaterial, type ClusterRead } from '../input/read-cluster.ts';
import { fixText } from '../terminal/fix-text.ts';
import { candidatesFor, type Given, withChanges } from './candidates.ts';
import { Trials } from './trials.ts';

/** One more seed than chance would forgive; a large cluster takes long enough with one. */
const USUAL_REHEARSALS = { small: 3, large: 1, sweep: 100 };
const SMALL_NODES = 50;
/** Of why a trial was not clean, while the search goes on. */
const WORDS_SHOWN = 100;
const LIMITS = {
  rehearsal: { sizeMax: 3, trialsMax: 60 },
  sweep: { sizeMax: 3, trialsMax: 30 },
};

export interface FixSubject {
  readonly material: ClusterMaterial;
  readonly paths: readonly string[];
}

export async function runFix(
  context: CliContext,
  flags: RehearseFlags,
  { material, paths }: FixSubject,
  colours: Colors,
): Promise<void> {
  context.process.onLongRun?.();
  const given: Given = { flags, material };
  const read = clusterIn(material);
  const options = { seed: flags.seed ?? 1, rehearsals: rehearsalsFor(flags, read) };
  const trials = new Trials(context, given, read, options);
  const tell = (words: string): void => void context.process.stderr.write(`${words}\n`);
  const before = await trials.first();
  tell(`as it is: ${shortly(before)}`);
  const candidates = before.verdict === 'clean' ? [] : candidatesFor(flags, read);
  let number = 0;
  const found = await searchChanges(
    candidates,
    async (changes) => {
      const trial = await trials.of(changes);
      number += 1;
      tell(`trial ${number}: ${changes.map(({ id }) => id).join(' + ')}: ${shortly(trial)}`);
      return trial;
    },
    ({ verdict }) => verdict === 'clean',
    LIMITS[trials.ofSweep ? 'sweep' : 'rehearsal'],
  );
  const document: FixSearch = {
    apiVersion: 'regauge.dev/v1',
    kind: 'FixSearch',
    of: trials.ofSweep ? 'sweep' : 'rehearsal',
    ...options,
    before,
    candidates,
    tried: found.tried.map(({ changes, result }) => ({
      changes: changes.map(({ id }) => id),
      ...result,
    })),
    exhausted: found.exhausted,
    fixes: found.clean.map((fix) => fixFound(fix, before, given, paths)).toSorted(byCost),
  };
  const ended = before.verdict === 'clean' || document.fixes.length > 0;
  context.process.exitCode = ended ? EXIT.clean : EXIT.findings;
  if (flags.output !== 'text') writeDocument(context, flags.output, document);
  else context.process.stdout.write(fixText(document, textWidth(context), colours));
}

function rehearsalsFor({ rehearsals, faults }: RehearseFlags, { input }: ClusterRead): number {
  if (rehearsals !== undefined) return rehearsals;
  if (faults === true) return USUAL_REHEARSALS.sweep;
  return USUAL_REHEARSALS[sweepNodesOf(input).length > SMALL_NODES ? 'large' : 'small'];
}

function shortly({ verdict, why }: Trial): string {
  if (why === undefined) return verdict;
  return `${verdict} (${why.length > WORDS_SHOWN ? `${why.slice(0, WORDS_SHOWN)}…` : why})`;
}

function fixFound(
  { changes, result }: Tried<PlanChange, Trial>,
  before: Trial,
  given: Given,
  paths: readonly string[],
): FixFound {
  const { seed, rehearsals, faults, fault = [] } = given.flags;
  const more = [
    ...(faults === true ? ['--faults', ...fault.flatMap((text) => ['--fault', text])] : []),
    ...(rehearsals === undefined ? [] : ['--rehearsals', String(rehearsals)]),
    ...(seed === undefined ? [] : ['--seed', String(seed)]),
  ];
  return {
    ...result,
    changes,
    costs: costsOf(result, before),
    command: rehearseCommand(withChanges(given, changes)?.flags ?? given.flags, paths, more),
  };
}

function costsOf(after: Trial, before: Trial): FixFound['costs'] {
  if (before.makespanSeconds === undefined || before.podOutageSeconds === undefined) return null;
  return {
    makespanSeconds: rounded((after.makespanSeconds ?? 0) - before.makespanSeconds),
    podOutageSeconds: rounded((after.podOutageSeconds ?? 0) - before.podOutageSeconds),
  };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

function byCost(left: FixFound, right: FixFound): number {
  return (
    (left.makespanSeconds ?? 0) - (right.makespanSeconds ?? 0) ||
    (left.podOutageSeconds ?? 0) - (right.podOutageSeconds ?? 0)
  );
}
