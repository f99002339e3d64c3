/** The plan as a runbook for people: every step with its commands, what to look at first, how back. */
import type { Plan, Step } from '../model/plan.ts';
import { commandsOf, ownerCommand, undoCommands } from './runbook-commands.ts';
import { gateText } from './runbook-gates.ts';
import { type Places, placesOf, preface } from './runbook-places.ts';

export function runbookText(plan: Plan): string {
  const { cluster, to, from, decisions, steps } = plan;
  const places = placesOf(plan);
  const lines = [
    `# ${from.cni} to ${to.cni} ${to.version} on ${cluster.name}`,
    '',
    `Plan ${plan.id}; ${plan.steps.length} steps, ${plan.waves.length} waves, strategy ${plan.strategy}.`,
    'Every step can be done by hand with the commands given, from the directory of this file. Do not start a step before its gates hold.',
    '',
    '## Before',
    '',
    `The commands need kubectl, helm, the Cilium CLI${places.onTalos ? ' and talosctl' : ''}, and these:`,
    '',
    ...preface(plan).map((line) => `    ${line}`),
    '',
    '## Decisions',
    '',
    ...decisions.map(
      ({ about, choice, because }) => `- **${about}**: ${choice}. ${sentence(because)}`,
    ),
    ...phasesOf(steps).flatMap(([phase, members]) => [
      '',
      `## ${phase}`,
      ...members.flatMap((step) => stepText(plan, step, places)),
    ]),
    ...handBack(steps),
  ];
  return `${lines.join('\n')}\n`;
}

/** What only people can do: their repository has to say what the cluster is now. */
function handBack(steps: readonly Step[]): readonly string[] {
  const owners = steps.flatMap(({ action }) =>
    action.kind === 'suspend-owner' ? [action.owner] : [],
  );
  if (owners.length === 0) return [];
  return [
    '',
    '## After',
    '',
    'Commit the new state first: the old CNI and kube-proxy as this plan leaves them, Cilium with the values of the last phase. Then let the owners go on:',
    '',
    ...owners.map((owner) => `    ${ownerCommand(owner, false)}`),
  ];
}

function phasesOf(steps: readonly Step[]): readonly (readonly [string, readonly Step[]])[] {
  const phases = new Map<string, Step[]>();
  for (const step of steps) {
    const members = phases.get(step.phase);
    if (members === undefined) phases.set(step.phase, [step]);
    else members.push(step);
  }
  return [...phases];
}

function stepText(plan: Plan, step: Step, places: Places): readonly string[] {
  const undo =
    step.undo === null
      ? [sentence(step.undoNote ?? 'nothing to take back')]
      : [step.undo, ...(step.undoThen ?? [])]
          .flatMap((undo) => undoCommands(plan, undo, places))
          .map((line) => `    ${line}`);
  return [
    '',
    `### ${step.title}`,
    '',
    `${sentence(step.because)} At worst: ${step.blastRadius.worst}.${step.pointOfNoReturn ? ' **From here on the way back needs the back-up.**' : ''}`,
    ...(step.gates.length === 0
      ? []
      : [
          '',
          'First see that:',
          '',
          ...step.gates.map((gate) => `- ${gateText(plan, gate, places)}`),
        ]),
    '',
    ...commandsOf(plan, step, places).map((line) => `    ${line}`),
    '',
    'Back:',
    '',
    ...undo,
  ];
}

function sentence(text: string): string {
  // Names of values and programs keep their spelling.
  const isName = /^\S*[-.A-Z]/.test(text.split(' ')[0] ?? '');
  const first = isName ? text : text.slice(0, 1).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
