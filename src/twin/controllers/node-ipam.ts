/**
 * The range allocator of kube-controller-manager: a Node that comes without a pod range gets the first
 * that is free (KK pkg/controller/nodeipam/ipam/range_allocator.go). It does so where nodes have ranges
 * already; elsewhere the cluster was started without it (`--allocate-node-cidrs`).
 */
import { nthSubnet, parseCidr } from '../../base/cidr.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import { podRange } from '../scenario/cluster-ranges.ts';
import type { World } from '../world.ts';
import { WorkQueue } from './work-queue.ts';

export function startNodeIpam(world: World): void {
  const queue = new WorkQueue(world, (name) => {
    allocate(world, name);
    queue.succeeded(name);
  });
  world.store.watch('Node', ({ type, object }) => {
    if (type === 'added' && object.spec.podCIDR === undefined) queue.add(object.metadata.name);
  });
}

function allocate(world: World, name: string): void {
  const { store } = world;
  const nodes = store.list('Node');
  if (nodes.some((node) => node.metadata.name === name && node.spec.podCIDR !== undefined)) return;
  const range = freeRange(world, nodes);
  if (range === undefined) return;
  store.update('Node', undefined, name, (node) => ({
    ...node,
    spec: { ...node.spec, podCIDR: range, podCIDRs: [range] },
  }));
}

function freeRange({ store }: World, nodes: readonly NodeObject[]): string | undefined {
  const used = new Set(nodes.flatMap(({ spec }) => spec.podCIDR ?? []));
  const [some = ''] = used;
  const mask = parseCidr(some)?.prefix;
  const range = parseCidr(
    podRange([...store.list('Pod', 'kube-system'), ...store.list('ConfigMap'), ...nodes]) ?? '',
  );
  if (mask === undefined || range === undefined) return undefined;
  for (let index = 0; index < 2 ** (mask - range.prefix); index += 1) {
    const free = nthSubnet(range, mask, index);
    if (!used.has(free)) return free;
  }
  return undefined;
}
