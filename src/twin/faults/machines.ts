/** Machines that die, come back late or not at all, or are taken away. */
import { powerControlOf } from '../machine/power-control.ts';
import { disturbancesOf } from '../api/disturbances.ts';
import type { TwinNode } from '../world.ts';
import { type Ending, type Fault, type FaultScene, overAfter, seconds } from './fault.ts';

/** Of `back`: it never does. */
const NEVER = 0;

const BACK = {
  about: 'until it is switched on again; 0 for never',
  unit: 's',
  least: 60,
  usual: 600,
  most: NEVER,
} as const;

export const nodeLost: Fault = {
  id: 'node-lost',
  title: 'A node loses its power',
  standsFor: 'a power supply, a kernel panic, a hypervisor that dies',
  source: 'anchors.md 4.1 no. 4; FM-56',
  strikes: 'node',
  parameters: { back: BACK },
  strike: (scene, { node, value }) => {
    powerOf(scene, node)?.cut();
    return returnsAfter(scene, value('back'), () => switchOn(scene, node));
  },
};

export const nodeStaysDown: Fault = {
  id: 'node-stays-down',
  title: 'A node does not come back after its next reboot',
  standsFor: 'firmware that asks, a disk that is full, a boot loader that is gone',
  source: 'Talos upgrade fallback (talos-and-cni-selection.md 4.10)',
  strikes: 'node',
  parameters: { back: { ...BACK, about: 'until somebody helps; 0 for never' } },
  strike: (scene, { node, value }) => {
    powerOf(scene, node)?.holdBoots();
    return returnsAfter(scene, value('back'), () => switchOn(scene, node));
  },
};

export const nodeRemoved: Fault = {
  id: 'node-removed',
  title: 'A node is deleted and switched off',
  standsFor: 'an autoscaler that scales down, `kubectl delete node`',
  source: 'hazard node-autoscaler; jovem.cc: autoscaler annotations',
  strikes: 'node',
  parameters: {},
  strike: (scene, { node }) => {
    takeAway(scene, node);
    return 'lasting';
  },
};

export const autoscalerAddsNode: Fault = {
  id: 'autoscaler-adds-node',
  title: 'A worker like the others joins',
  standsFor: 'an autoscaler that scales up, Karpenter, a person who adds a machine',
  source: 'hazard node-autoscaler; issue 5: nodes that join',
  strikes: 'cluster',
  parameters: {
    stays: {
      about: '1 for good; 0 until it is taken away',
      unit: 'count',
      least: 0,
      usual: 1,
      most: 1,
    },
    for: seconds('until it is taken away, where it does not stay', 150, 900, 1800),
  },
  strike: (scene, { value }) => {
    const { world, random } = scene;
    const workers = [...world.nodes.values()].filter(({ role }) => role === 'worker');
    const name = workers.length === 0 ? undefined : world.join(random.pick(workers).name);
    if (name === undefined) return overAfter(0);
    // It boots, and pulls the images of what runs on every node.
    const joining = (2 * world.constants.rebootMs) / 1000;
    if (value('stays') > 0) return overAfter(joining);
    world.kernel.after(value('for') * 1000, () => takeAway(scene, name));
    return overAfter(Math.max(joining, value('for')));
  },
};

export const etcdMemberLost: Fault = {
  id: 'etcd-member-lost',
  title: 'A member of etcd fails on a machine that is up',
  standsFor: 'a corrupt WAL, a full disk, a clock that jumped',
  source: 'failure-domains.md 2.6',
  strikes: 'control-plane',
  parameters: { back: { ...BACK, about: 'until the member serves again; 0 for never' } },
  strike: (scene, { node, value }) => {
    const { world } = scene;
    const { failedMembers } = disturbancesOf(world.store);
    failedMembers.add(node);
    world.api.controlPlaneChanged?.();
    return returnsAfter(scene, value('back'), () => {
      failedMembers.delete(node);
      world.api.controlPlaneChanged?.();
    });
  },
};

/** Machines that nobody has any more. */
const taken = new WeakSet<TwinNode>();

function takeAway(scene: FaultScene, name: string): void {
  const node = scene.world.nodes.get(name);
  if (node !== undefined) taken.add(node);
  powerOf(scene, name)?.cut();
  scene.world.store.remove('Node', undefined, name);
}

function switchOn(scene: FaultScene, name: string): void {
  const node = scene.world.nodes.get(name);
  if (node !== undefined && !taken.has(node)) powerControlOf(node.machine)?.restore();
}

function powerOf({ world }: FaultScene, name: string) {
  const node: TwinNode | undefined = world.nodes.get(name);
  return node === undefined ? undefined : powerControlOf(node.machine);
}

function returnsAfter({ world }: FaultScene, back: number, restore: () => void): Ending {
  if (back === NEVER) return 'lasting';
  world.kernel.after(back * 1000, restore);
  // A machine that has its power again still boots.
  return overAfter(back + world.constants.rebootMs / 1000);
}
