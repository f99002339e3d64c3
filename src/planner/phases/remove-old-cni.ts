/** The old CNI goes when nothing is on it: first out of the machine configs, then its objects. */
import type { Gate, Step } from '../../model/plan.ts';
import type { Choices } from '../choices.ts';
import type { Situation } from '../situation.ts';
import { inARow, type StepParts } from '../step.ts';
import { BACK_UP, ownersGate } from './prepare.ts';
import { tellService } from './tell-service.ts';

export function removeOldCni(
  situation: Situation,
  choices: Choices,
  after: readonly string[],
): readonly Step[] {
  const everything = situation.nodes.map(({ name }) => name);
  const gates = [
    { kind: 'no-old-pods', nodes: everything },
    { kind: 'agents-ready', nodes: everything },
    { kind: 'paths-clear' },
    ...ownersGate(choices),
  ] as const;
  return inARow(after, [
    ...talosCniNone(situation, choices),
    ...tellService(situation, choices, gates),
    ...deleteOldCni(situation, gates),
  ]);
}

function deleteOldCni(
  { adapter: { oldCni: objects, oldCniReturns, oldNetwork } }: Situation,
  gates: readonly Gate[],
): readonly Omit<StepParts, 'after'>[] {
  if (objects.length === 0) return [];
  return [
    {
      phase: 'remove-old-cni',
      name: `delete-${oldNetwork.cni}`,
      title:
        oldCniReturns === 'with-service'
          ? `See that ${oldNetwork.title} is gone`
          : `Delete ${oldNetwork.title}`,
      action: { kind: 'delete-objects', objects },
      nodes: [],
      gates,
      scope: 'cluster',
      worst: `a pod that was still on ${oldNetwork.title} would lose its routes at the next change`,
      ...(oldCniReturns === 'with-service'
        ? { undoNote: 'comes back with what the service is told' }
        : { undo: { kind: 'restore-objects', backup: BACK_UP, objects } as const }),
      pointOfNoReturn: true,
      because: 'no pod is on the old network any more (FM-53)',
    },
  ];
}

function talosCniNone(
  situation: Situation,
  { patches }: Choices,
): readonly Omit<StepParts, 'after'>[] {
  if (patches?.cniNone === undefined) return [];
  const nodes = situation.controlPlanes.map(({ name }) => name);
  const { patch, undo } = patches.cniNone;
  return [
    {
      phase: 'remove-old-cni',
      name: 'talos-cni-none',
      title: 'Tell Talos on all control planes that Flannel is not its business',
      action: { kind: 'patch-machine-config', nodes, patch },
      gates: [{ kind: 'no-old-pods', nodes: situation.nodes.map(({ name }) => name) }],
      scope: 'none',
      worst:
        'nothing is removed by this; an upgrade-k8s now would prune Flannel on Talos 1.13 and later',
      undo: { kind: 'patch-machine-config', nodes, patch: undo },
      because: 'a control plane with the old setting would create the DaemonSet again (FM-35)',
    },
  ];
}
