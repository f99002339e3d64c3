/** `regauge plan`: the migration for a cluster, as a document, files and a summary. */
import pico from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import { RegaugeError } from '../../base/errors.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { Plan } from '../../model/plan.ts';
import { verdict } from '../../report/comparison.ts';
import { plural } from '../../report/duration.ts';
import { type CliContext, textWidth, wantsColour } from '../context.ts';
import type { PlanFlags } from '../flags.ts';
import { liveFiles } from '../input/given-files.ts';
import { leftOutSection } from '../left-out.ts';
import { writeDocument } from '../output-format.ts';
import { writePlan } from '../input/plan-file.ts';
import { readCluster } from '../input/read-cluster.ts';
import { planFor, type Planned, rehearse } from '../rehearsal-session.ts';
import { wrapText } from '../terminal/wrap-text.ts';

export async function run(this: CliContext, flags: PlanFlags, ...paths: string[]): Promise<void> {
  const { talosVersion, ciliumVersion, target: file } = flags;
  const { input, target, leftOut, bundles } = await readCluster({
    paths,
    stdin: this.process.stdin,
    live: await liveFiles(this, flags),
    ...(file === undefined ? {} : { target: file }),
    ...(ciliumVersion === undefined ? {} : { ciliumVersion }),
    ...(talosVersion === undefined ? {} : { talosVersion }),
  });
  const made = planFor(
    input,
    {
      ...(target === undefined ? {} : { target }),
      ...(ciliumVersion === undefined ? {} : { chartVersion: ciliumVersion }),
      ...(flags.strategy === undefined ? {} : { strategy: flags.strategy }),
      ...(flags.waveSize === undefined ? {} : { waveSize: flags.waveSize }),
      ...(flags.poolCidr === undefined ? {} : { poolCidr: flags.poolCidr }),
    },
    talosVersion === undefined ? {} : { talosVersion },
  );
  const { planned, words } =
    flags.out === undefined ? unrehearsed(made) : await predicted(input, made);
  const written = flags.out === undefined ? [] : writePlan(flags.out, planned);
  if (flags.output !== 'text') {
    writeDocument(this, flags.output, planned.plan);
    return;
  }
  const colours = pico.createColors(wantsColour(this));
  const left = leftOutSection({ leftOut, bundles }, colours);
  const width = textWidth(this);
  this.process.stdout.write(`${summary(planned.plan, { written, words, width }, colours)}${left}`);
}

interface Predicted {
  readonly planned: Planned;
  /** How the plan ended when it was rehearsed; empty when it was not. */
  readonly words: string;
}

/** Beyond this a rehearsal takes longer than anybody waits for a plan. */
const REHEARSED_NODES = 200;

function unrehearsed(planned: Planned, words = ''): Predicted {
  return { planned, words };
}

/** What is written to be executed is rehearsed first: `migrate` then says how long it will take. */
async function predicted(input: ClusterInput, made: Planned): Promise<Predicted> {
  const nodes = made.plan.waves.flat().length;
  if (nodes > REHEARSED_NODES)
    return unrehearsed(
      made,
      `Not rehearsed, since it has ${nodes} nodes: regauge rehearse does it.`,
    );
  try {
    const { rehearsal } = await rehearse({ input, plan: made.plan });
    const { outcome, summary: predictions } = rehearsal;
    const words = `Rehearsed on a twin: ${verdict(rehearsal)}${outcome === 'clean' ? '' : ' regauge rehearse says why.'}`;
    return { planned: { ...made, plan: { ...made.plan, predictions } }, words };
  } catch (error) {
    if (!(error instanceof RegaugeError)) throw error;
    return unrehearsed(made, `Not rehearsed: ${error.message}`);
  }
}

interface Told {
  readonly written: readonly string[];
  readonly words: string;
  readonly width: number;
}

function summary(plan: Plan, { written, words, width }: Told, colours: Colors): string {
  const { cluster, from, to, steps, waves } = plan;
  const lines = [
    colours.bold(`${cluster.name}: ${from.cni} to ${to.cni} ${to.version}`),
    `${plan.id}: ${plural(steps.length, 'step')}, ${plural(waves.length, 'wave')}, ${plan.strategy}; pods move from ${from.podCidrs.join(', ')} to ${to.podCidrs.join(', ')}.`,
    '',
    ...phases(plan, colours),
    '',
    colours.bold('Decisions'),
    ...plan.decisions.flatMap(({ about, choice, because }) =>
      wrapText(`${about}: ${choice}. ${because}.`, width - 4).map(
        (line, index) => `  ${index === 0 ? '-' : ' '} ${line}`,
      ),
    ),
    '',
    ...(words === '' ? [] : [...wrapText(words, width), '']),
    ...(written.length === 0
      ? wrapText(
          'Nothing was written; --out names a directory for plan.json, runbook.md and artifacts.',
          width,
        )
      : [`Written: ${written[0] ?? ''} and ${plural(written.length - 1, 'more file')}.`]),
  ];
  return `${lines.join('\n')}\n`;
}

function phases({ steps, waves }: Plan, colours: Colors): readonly string[] {
  const counts = new Map<string, number>();
  for (const { phase } of steps) counts.set(phase, (counts.get(phase) ?? 0) + 1);
  return [...counts].map(([phase, count]) => {
    const note =
      phase === 'move-nodes'
        ? `: ${waves.slice(0, 6).map(showWave).join(', ')}${waves.length > 6 ? ', …' : ''}`
        : '';
    return `  ${colours.bold(phase.padEnd(20))}${plural(count, 'step')}${note}`;
  });
}

function showWave(wave: readonly string[]): string {
  return wave.length === 1 ? (wave[0] ?? '') : `${wave.length} nodes`;
}
