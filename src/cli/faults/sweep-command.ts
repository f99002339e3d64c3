/** `regauge rehearse --faults`: what is swept, how far it is, and what it came to. */
import { availableParallelism } from 'node:os';
import type { Colors } from 'picocolors/types.js';
import { RegaugeError } from '../../base/errors.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { FaultDescription } from '../../model/fault.ts';
import type { FaultSweep } from '../../model/fault-sweep.ts';
import type { Plan } from '../../model/plan.ts';
import { requireFault } from '../../twin/faults/fault-text.ts';
import { FAULTS } from '../../twin/faults/registry.ts';
import { type CliContext, EXIT, textWidth } from '../context.ts';
import type { RehearseFlags } from '../flags.ts';
import { writeDocument } from '../output-format.ts';
import { startSweepProgress } from '../terminal/sweep-progress.ts';
import { sweepText } from '../terminal/sweep-text.ts';
import type { ClusterMaterial } from '../input/read-cluster.ts';
import { sweepFaults, sweepNodesOf } from './sweep.ts';
import type { Threads } from './worker-pool.ts';

const USUAL_REHEARSALS = 200;

export interface SweepSubject {
  readonly input: ClusterInput;
  readonly material: ClusterMaterial;
  readonly plan: Plan;
  readonly paths: readonly string[];
}

export async function runSweep(
  context: CliContext,
  flags: RehearseFlags,
  subject: SweepSubject,
  colours: Colors,
): Promise<void> {
  context.process.onLongRun?.();
  const { input, plan } = subject;
  const chosen = choiceOf(flags.fault ?? [], plan);
  const rehearsals = flags.rehearsals ?? USUAL_REHEARSALS;
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once('SIGINT', stop);
  const progress = await startSweepProgress(context, rehearsals, colours);
  try {
    const sweep = await sweepFaults({
      input,
      plan,
      ...chosen,
      seed: flags.seed ?? 1,
      rehearsals,
      threads: threadsFor(context, flags, subject, rehearsals),
      commandFor: (seed, faults) => replayCommand(flags, subject.paths, seed, faults),
      onResult: (result, done) => progress.onResult(result, done),
      signal: stopping.signal,
    });
    progress.finish();
    context.process.exitCode = exitFor(sweep, stopping.signal.aborted);
    if (flags.output === 'text') {
      const nodes = sweepNodesOf(input).length;
      context.process.stdout.write(sweepText(sweep, { nodes, width: textWidth(context) }, colours));
    } else writeDocument(context, flags.output, sweep);
  } finally {
    process.removeListener('SIGINT', stop);
  }
}

/** None where nobody says what a thread would have to run: in a test. */
export function threadsFor(
  context: CliContext,
  { workers = availableParallelism() }: RehearseFlags,
  { material }: Pick<SweepSubject, 'material'>,
  rehearsals: number,
): Threads | undefined {
  const { entry } = context.process;
  // Node 20 gives threads no loader for TypeScript.
  return entry === undefined || entry.endsWith('.ts')
    ? undefined
    : { count: Math.min(workers, rehearsals), entry, material };
}

function exitFor({ outcomes }: FaultSweep, interrupted: boolean): number {
  if (interrupted) return EXIT.interrupted;
  return outcomes.broken === 0 ? EXIT.clean : EXIT.findings;
}

interface Choice {
  readonly faults: readonly FaultDescription[];
  readonly steps?: readonly string[];
}

/** `--fault node-lost`, `--fault node-lost@move-nodes`, `--fault @move-nodes`: what is swept. */
export function choiceOf(texts: readonly string[], plan: Plan): Choice {
  const faults = new Set<FaultDescription>();
  const steps = new Set<string>();
  for (const text of texts) {
    const [id = '', place] = text.split('@');
    if (id !== '') faults.add(requireFault(id));
    if (place === undefined) continue;
    const found = plan.steps.filter(({ id: step }) => step.startsWith(place));
    if (found.length === 0) {
      throw new RegaugeError('usage', `the plan has no step ${place}`, {
        hint: 'regauge plan shows the steps; the beginning of an id is enough.',
      });
    }
    for (const step of found) steps.add(step.id);
  }
  return {
    faults: faults.size === 0 ? FAULTS : [...faults],
    ...(steps.size === 0 ? {} : { steps: [...steps] }),
  };
}

/** What was typed, with one seed and its faults instead of the sweep. */
function replayCommand(
  flags: RehearseFlags,
  paths: readonly string[],
  seed: number,
  faults: readonly string[],
): string {
  const struck = faults.flatMap((fault) => ['--fault', fault]);
  return rehearseCommand(flags, paths, ['--seed', String(seed), ...struck]);
}

/** The command line for a plan of what was typed. */
export function rehearseCommand(
  flags: RehearseFlags,
  paths: readonly string[],
  more: readonly string[],
): string {
  const named: readonly (readonly [string, string | undefined])[] = [
    ['--target', flags.target],
    ['--plan', flags.plan],
    ['--strategy', flags.strategy],
    ['--wave-size', flags.waveSize === undefined ? undefined : String(flags.waveSize)],
    ['--pool-cidr', flags.poolCidr],
    ['--cilium-version', flags.ciliumVersion],
    ['--talos-version', flags.talosVersion],
    ['--kubeconfig', flags.kubeconfig],
    ['--context', flags.context],
    ['--as', flags.as],
  ];
  const words = [
    'regauge',
    'rehearse',
    ...paths,
    ...(flags.live ? ['--live'] : []),
    ...named.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value])),
    ...more,
  ];
  return words.map(quoted).join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
