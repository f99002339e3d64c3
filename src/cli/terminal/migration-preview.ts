/** What a migration is about to do, before anybody is asked: phases, waves, time, what stays done. */
import type { Colors } from 'picocolors/types.js';
import type { RunRecord } from '../../engine/run/run-record.ts';
import { PHASES, type Plan, type Step } from '../../model/plan.ts';
import { plural, showSeconds } from '../../report/duration.ts';
import { expectedSeconds } from './run-view.ts';
import { wrapText } from './wrap-text.ts';

export interface Preview {
  readonly plan: Plan;
  readonly record: RunRecord | undefined;
  readonly context: string;
  readonly server: string;
  /** Nodes that joined since the plan was made. */
  readonly joined: readonly string[];
  readonly auditLog: string;
  readonly backups: string;
}

const WORDS: Readonly<Record<string, string>> = {
  prepare: 'back up what later steps change or delete',
  'install-secondary': 'Cilium beside the old CNI, managing no pod',
  'move-nodes': 'node by node: conf, agent, pods',
  finalise: 'the final values, everywhere',
  'replace-kube-proxy': 'Services go to Cilium, kube-proxy goes',
  'remove-old-cni': 'the old CNI goes',
  'enforce-policies': 'policies count, after it was seen what they would drop',
  'clean-up': 'what is left of it on nodes and in the API',
  'roll-back': 'back to where it began',
};

const WAVES_SHOWN = 8;

export function previewText(preview: Preview, width: number, colours: Colors): string {
  const { plan, record, context, server, joined, auditLog, backups } = preview;
  const { from, to, steps } = plan;
  const wrapped = (text: string): readonly string[] =>
    wrapText(text, width - 4).map((line, index) => `  ${index === 0 ? '-' : ' '} ${line}`);
  const finals = steps.filter(({ pointOfNoReturn }) => pointOfNoReturn);
  return [
    '',
    colours.bold(
      plan.takesBack === undefined
        ? `${from.cni} to ${to.cni} ${to.version} on ${plan.cluster.name}`
        : `Back to ${from.cni} on ${plan.cluster.name}`,
    ),
    colours.dim(`${context} (${server}), ${plan.id}`),
    ...(record === undefined
      ? []
      : [
          `Under way since ${record.startedAt}: ${record.done} of ${record.total} steps were done when it was last heard of. What is done is observed, and not done again.`,
        ]),
    '',
    ...phaseLines(plan, colours),
    '',
    `Waves: ${wavesInWords(plan)}`,
    `Time: ${timeInWords(plan)}`,
    ...(joined.length === 0
      ? []
      : [
          colours.yellow(
            `Joined since the plan was made, and moved like the others: ${joined.slice(0, 5).join(', ')}${joined.length > 5 ? ` and ${joined.length - 5} more` : ''}`,
          ),
        ]),
    '',
    ...(plan.takesBack === undefined
      ? wayBackLines(finals, wrapped, colours)
      : staysLines(plan, wrapped, colours)),
    '',
    `Audit log: ${auditLog}`,
    `Backups: ConfigMaps in regauge-system, and ${backups}`,
    '',
  ].join('\n');
}

type Wrapped = (text: string) => readonly string[];

function wayBackLines(
  finals: readonly Step[],
  wrapped: Wrapped,
  colours: Colors,
): readonly string[] {
  if (finals.length === 0) return [colours.bold('Everything can be taken back')];
  return [
    colours.bold('From here on the way back needs the back-up'),
    ...finals.flatMap(({ title }) => wrapped(title)),
  ];
}

/** What a way back does not bring back, said before anybody agrees to it. */
function staysLines({ steps }: Plan, wrapped: Wrapped, colours: Colors): readonly string[] {
  const uninstalls = steps.some(({ action }) => action.kind === 'uninstall-helm-release');
  return [
    colours.bold('What stays'),
    ...wrapped('Pods that have moved restart once more, and have new addresses.'),
    ...(uninstalls
      ? wrapped(
          'CustomResourceDefinitions and objects that Cilium made for itself; kubectl get crd | grep cilium.io lists them.',
        )
      : []),
  ];
}

function phaseLines({ steps }: Plan, colours: Colors): readonly string[] {
  return PHASES.flatMap((phase) => {
    const count = steps.filter((step) => step.phase === phase).length;
    if (count === 0) return [];
    return [
      `  ${colours.bold(phase.padEnd(20))}${plural(count, 'step').padEnd(11)}${WORDS[phase] ?? ''}`,
    ];
  });
}

function wavesInWords({ waves }: Plan): string {
  const shown = waves
    .slice(0, WAVES_SHOWN)
    .map((wave) => (wave.length === 1 ? (wave[0] ?? '') : `${wave.length} nodes`));
  return `${waves.length}: ${shown.join(', ')}${waves.length > WAVES_SHOWN ? ', …' : ''}`;
}

function timeInWords({ predictions, steps }: Plan): string {
  if (predictions !== undefined) {
    const { makespanSeconds, podOutageSeconds, longestPathGapMs } = predictions;
    return `about ${showSeconds(makespanSeconds)} as rehearsed; a pod is away ${showSeconds(podOutageSeconds.max)} at most, the longest gap of a path is ${longestPathGapMs} ms`;
  }
  const seconds = steps.reduce((sum, step) => sum + expectedSeconds(step), 0);
  return `up to ${showSeconds(Math.ceil(seconds / 60) * 60)}, reckoned by the steps; regauge rehearse tells it better`;
}
