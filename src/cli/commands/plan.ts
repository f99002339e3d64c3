/** `regauge plan`: the migration for a cluster, as a document, files and a summary. */
import pico from 'picocolors';
import type { Colors } from 'picocolors/types.js';
import type { Plan } from '../../model/plan.ts';
import { plural } from '../../report/duration.ts';
import { type CliContext, textWidth, wantsColour } from '../context.ts';
import type { PlanFlags } from '../flags.ts';
import { liveFiles } from '../given-files.ts';
import { leftOutSection } from '../left-out.ts';
import { writeDocument } from '../output-format.ts';
import { writePlan } from '../plan-file.ts';
import { readCluster } from '../read-cluster.ts';
import { planFor } from '../rehearsal-session.ts';
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
  const planned = planFor(
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
  const written = flags.out === undefined ? [] : writePlan(flags.out, planned);
  if (flags.output !== 'text') {
    writeDocument(this, flags.output, planned.plan);
    return;
  }
  const colours = pico.createColors(wantsColour(this));
  const left = leftOutSection({ leftOut, bundles }, colours);
  this.process.stdout.write(`${summary(planned.plan, written, textWidth(this), colours)}${left}`);
}

function summary(plan: Plan, written: readonly string[], width: number, colours: Colors): string {
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
