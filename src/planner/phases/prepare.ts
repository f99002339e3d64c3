/** Before anything changes: back-ups, and node addresses pinned where the new pool could be taken for one. */
import type { Action, Gate, ObjectSelector, Step } from '../../model/plan.ts';
import type { Choices } from '../choices.ts';
import type { Situation } from '../situation.ts';
import { makeStep, type StepParts } from '../step.ts';

const BACK_UP_NAME = 'back-up';
/** Id of the step whose back-up later steps are taken back from. */
export const BACK_UP = `prepare/${BACK_UP_NAME}`;

export interface Pin {
  readonly lan: readonly string[];
  readonly because: string;
}

export function prepare(
  situation: Situation,
  choices: Choices,
  pin: Pin | undefined,
): readonly Step[] {
  const everything = situation.nodes.map(({ name }) => name);
  const backUp = makeStep({
    phase: 'prepare',
    name: BACK_UP_NAME,
    title: 'Back up what later steps delete or change',
    action: backUpAction(situation, choices),
    after: [],
    gates: [
      { kind: 'nodes-ready', nodes: everything },
      { kind: 'workloads-ready' },
      { kind: 'volumes-healthy' },
    ],
    scope: 'none',
    worst: 'nothing is changed',
    because: 'nothing is destroyed before its backup was read back and compared',
  });
  const suspended = choices.gitOwners.map((owner) => suspendStep(owner, backUp.id));
  if (pin === undefined || choices.patches === undefined) return [backUp, ...suspended];
  const { patches } = choices;
  const roles = [
    ['workers', situation.workers, false],
    ['control-planes', situation.controlPlanes, true],
  ] as const;
  const pins = roles
    .filter(([, nodes]) => nodes.length > 0)
    .flatMap(([name, nodes, controlPlane]): readonly StepParts[] => {
      const patch = patches.pinAddresses(pin.lan, controlPlane);
      if (patch === undefined) return [];
      return [
        {
          phase: 'prepare',
          name: `pin-addresses-of-${name}`,
          title: `Pin the node addresses of the ${name.replace('-', ' ')} to ${pin.lan.join(', ')}`,
          action: { kind: 'patch-machine-config', nodes: nodes.map((node) => node.name), patch },
          after: [backUp.id],
          scope: 'nodes',
          worst: 'kubelet restarts; pods stay',
          undoNote: 'the pin does no harm and stays',
          because: `FM-09: ${pin.because}`,
        },
      ];
    })
    .map(makeStep);
  return [backUp, ...suspended, ...pins];
}

function suspendStep(owner: ObjectSelector, after: string): Step {
  return makeStep({
    phase: 'prepare',
    name: `suspend-${owner.kind.toLowerCase()}-${owner.name}`,
    title: `Let ${owner.kind} ${owner.name} leave what it owns alone`,
    action: { kind: 'suspend-owner', owner },
    after: [after],
    scope: 'none',
    worst: 'changes in its repository wait',
    undo: 'inverse',
    because: 'a step would be undone seconds to minutes after it was done (FM-05)',
  });
}

/** Holds while every owner that the plan suspended is suspended. */
export function ownersGate({ gitOwners }: Choices): readonly Gate[] {
  return gitOwners.length === 0 ? [] : [{ kind: 'owners-suspended', owners: gitOwners }];
}

function backUpAction(situation: Situation, { patches }: Choices): Action {
  const controlPlanes = situation.controlPlanes.map(({ name }) => name);
  const changed = [patches?.cniNone?.patch, patches?.proxyOff.patch].filter(
    (patch) => patch !== undefined,
  );
  return {
    kind: 'back-up',
    objects: [...situation.adapter.oldCni, ...situation.adapter.kubeProxy],
    confsOf: situation.nodes.map(({ name }) => name),
    ...(changed.length === 0
      ? {}
      : { patches: changed.map((patch) => ({ nodes: controlPlanes, patch })) }),
    ...(situation.distribution === 'talos' ? { etcd: true } : {}),
  };
}
