/**
 * Facts about the whole cluster that programs on nodes stop because of: a DaemonSet of the network
 * was deleted. What such a program leaves in a kernel names the deletion as its reason.
 */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { OccurrenceKind } from '../../model/occurrence-kind.ts';
import type { DaemonSetObject } from '../../model/kubernetes.ts';
import type { TwinNode, World } from '../world.ts';
import { fabricOf } from '../network/fabric.ts';
import { networkOf } from '../network/kernel-network.ts';
import { addBlame } from './absence.ts';
import { hubOf } from './hub.ts';
import { imageName } from './image.ts';

export const SUBNET_ENV = '/run/flannel/subnet.env';

type Part = 'flannel' | 'kube-proxy';

const KINDS: Readonly<Record<Part, OccurrenceKind>> = {
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

/**
 * A node that lost subnet.env has nobody to write it again. It is said when the power goes, before the
 * first pod of the next boot asks for the file.
 */
function followBoots(world: World, removed: ReadonlyMap<Part, OccurrenceId>): void {
  const told = new Set<string>();
  const look = (node: TwinNode): void => {
    const cause = removed.get('flannel');
    if (node.files.exists(SUBNET_ENV)) told.delete(node.name);
    else if (cause !== undefined && !told.has(node.name)) {
      told.add(node.name);
      const id = world.kernel.because([], () =>
        world.kernel.occur('flannel.not-running', {
          node: node.name,
          message: `no flanneld starts on ${node.name} any more: ${SUBNET_ENV} is not written again`,
          because: [cause],
        }),
      );
      addBlame({ world, node }, SUBNET_ENV, id);
    }
  };
  fabricOf(world).onPathChange((name, podUid) => {
    const node = world.nodes.get(name);
    if (podUid !== undefined || node === undefined || !removed.has('flannel')) return;
    // What a loss of power empties is empty once the machine's own action is through.
    world.kernel.after(0, () => look(node));
  });
}

/** Runs the action with the deletion among its causes, if there was one. */
export function becauseOfRemoval(world: World, part: Part, action: () => void): void {
  const id = followed.get(world)?.get(part);
  if (id === undefined) action();
  else world.kernel.because([id, ...world.kernel.causes.filter((cause) => cause !== id)], action);
}

/** Whether a kube-proxy serves the node, or will again. */
export function hasKubeProxy(world: World, node: TwinNode): boolean {
  if (networkOf(node).kubeProxy !== undefined) return true;
  return world.store.list('DaemonSet').some((daemonSet) => partOf(daemonSet) === 'kube-proxy');
}

function partOf({ spec }: DaemonSetObject): Part | undefined {
  const names = spec.template.spec.containers.map(imageName);
  if (names.includes('flannel')) return 'flannel';
  return names.includes('kube-proxy') ? 'kube-proxy' : undefined;
}
