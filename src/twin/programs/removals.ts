/**
 * Facts about the whole cluster that programs on nodes stop because of: a DaemonSet of the network
 * was deleted. What such a program leaves in a kernel names the deletion as its reason.
 */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { DaemonSetObject } from '../../model/kubernetes.ts';
import type { World } from '../world.ts';
import { fabricOf } from '../network/fabric.ts';
import { addBlame } from './absence.ts';
import { hubOf } from './hub.ts';
import { imageName } from './image.ts';

export const SUBNET_ENV = '/run/flannel/subnet.env';

type Part = 'flannel' | 'kube-proxy';

const KINDS: Readonly<Record<Part, string>> = {
  flannel: 'flannel.daemonset-removed',
  'kube-proxy': 'kube-proxy.removed',
};

const followed = new WeakMap<World, Map<Part, OccurrenceId>>();

/** Starts to look for deletions; once per world. */
export function followRemovals(world: World): void {
  if (followed.has(world)) return;
  const removed = new Map<Part, OccurrenceId>();
  followed.set(world, removed);
  hubOf(world).follow('DaemonSet', 'all', ({ type, object }) => {
    const part = partOf(object);
    if (part === undefined) return;
    if (type === 'added') removed.delete(part);
    if (type !== 'deleted') return;
    const { namespace = '', name } = object.metadata;
    const id = world.kernel.occur(KINDS[part], {
      subject: { kind: 'DaemonSet', namespace, name },
      message: `DaemonSet ${namespace}/${name} was deleted: no node starts ${part} any more`,
    });
    removed.set(part, id);
  });
  followBoots(world, removed);
}

/** A node that boots without flanneld has no subnet.env, and nobody to write one. */
function followBoots(world: World, removed: ReadonlyMap<Part, OccurrenceId>): void {
  const told = new Set<string>();
  fabricOf(world).onPathChange((name) => {
    const cause = removed.get('flannel');
    const node = world.nodes.get(name);
    if (cause === undefined || node?.machine.up !== true || node.files.exists(SUBNET_ENV)) return;
    const boot = `${name} ${node.machine.bootId}`;
    if (told.has(boot)) return;
    told.add(boot);
    const id = world.kernel.because([], () =>
      world.kernel.occur('flannel.not-running', {
        node: name,
        message: `${name} booted and no flanneld starts there: ${SUBNET_ENV} is not written again`,
        because: [cause],
      }),
    );
    addBlame({ world, node }, SUBNET_ENV, id);
  });
}

/** Runs the action with the deletion among its causes, if there was one. */
export function becauseOfRemoval(world: World, part: Part, action: () => void): void {
  const id = followed.get(world)?.get(part);
  if (id === undefined) action();
  else world.kernel.because([id, ...world.kernel.causes.filter((cause) => cause !== id)], action);
}

function partOf({ spec }: DaemonSetObject): Part | undefined {
  const names = spec.template.spec.containers.map(imageName);
  if (names.includes('flannel')) return 'flannel';
  return names.includes('kube-proxy') ? 'kube-proxy' : undefined;
}
