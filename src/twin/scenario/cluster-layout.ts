/**
 * What a spec means before any object is made: its nodes with their /24s, the addresses that follow
 * from its ranges, and which node each pod is on.
 */
import { nthAddress, nthSubnet, parseAddress, parseCidr, type Cidr } from '../../base/cidr.ts';
import { present } from '../../base/assert.ts';
import type { ClusterSpec, NodeSpec, WorkloadSpec } from './cluster-spec.ts';

export interface LaidOutNode extends NodeSpec {
  readonly podCidr: string;
}

export interface ClusterLayout {
  readonly spec: ClusterSpec;
  readonly nodes: readonly LaidOutNode[];
  /** The tenth address of the service range, as Kubernetes has it. */
  readonly clusterDns: string;
  /** Nodes that pods with or without the toleration may be on. */
  eligible(
    workload: Pick<WorkloadSpec, 'toleratesControlPlane' | 'nodeSelector'>,
  ): readonly LaidOutNode[];
  /** Takes the next free address of the node's range, as host-local does. */
  nextPodIp(node: LaidOutNode): string;
  nextServiceIp(): string;
  /** The eligible node with the fewest pods so far, or the one told; counts the pod. */
  place(workload: WorkloadSpec, index: number): LaidOutNode;
}

export function layOut(spec: ClusterSpec): ClusterLayout {
  const podRange = range(spec.network.podSubnet);
  const serviceRange = range(spec.network.serviceSubnet);
  const nodes = nodesOf(spec).map((node, index) => ({
    ...node,
    podCidr: nthSubnet(podRange, 24, index),
  }));
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const used = new Map(nodes.map((node) => [node.name, 0]));
  const ips = new Map<string, number>();
  let services = 20;

  const open = nodes.filter(
    ({ role }) => role === 'worker' || spec.machine.schedulableControlPlanes,
  );
  const nextOfAll = roundOf(nodes, used);
  const nextOfOpen = roundOf(open, used);
  return {
    spec,
    nodes,
    clusterDns: nthAddress(serviceRange, 10),
    eligible: ({ toleratesControlPlane }) => (toleratesControlPlane ? nodes : open),
    nextPodIp: (node) => {
      // .0 is the network and flannel.1's own, .1 is cni0.
      const next = (ips.get(node.name) ?? 1) + 1;
      ips.set(node.name, next);
      return nthAddress(range(node.podCidr), next);
    },
    nextServiceIp: () => nthAddress(serviceRange, (services += 1)),
    place: (workload, index) => {
      const told = workload.on[index % Math.max(1, workload.on.length)];
      const node =
        told === undefined
          ? (workload.toleratesControlPlane ? nextOfAll : nextOfOpen)()
          : present(byName.get(told), `node ${told} of workload ${workload.name}`);
      used.set(node.name, (used.get(node.name) ?? 0) + 1);
      return node;
    },
  };
}

function nodesOf(spec: ClusterSpec): readonly NodeSpec[] {
  if (Array.isArray(spec.nodes)) return spec.nodes;
  const { prefix, controlPlanes, workers, firstAddress } = spec.nodes;
  const first = present(parseAddress(firstAddress), `address ${firstAddress}`);
  const width = String(Math.max(controlPlanes, workers)).length < 2 ? 2 : String(workers).length;
  const numbered = (
    role: NodeSpec['role'],
    short: string,
    count: number,
    offset: number,
  ): NodeSpec[] =>
    Array.from({ length: count }, (_, index) => ({
      name: `${prefix}-${short}-${String(index + 1).padStart(width, '0')}`,
      address: nthAddress(first, offset + index),
      role,
      memory: '32Gi',
    }));
  return [
    ...numbered('control-plane', 'cp', controlPlanes, 0),
    ...numbered('worker', 'wrk', workers, controlPlanes),
  ];
}

/**
 * Hands out the nodes with the fewest pods, one after the other. It goes round: a node is taken when
 * it has no more than the least so far, so that a pod costs no look at all nodes.
 */
function roundOf(
  nodes: readonly LaidOutNode[],
  used: ReadonlyMap<string, number>,
): () => LaidOutNode {
  let least = 0;
  let at = 0;
  return () => {
    for (let looked = 0; ; looked += 1) {
      const node = present(nodes[at % Math.max(1, nodes.length)], 'a node that pods may be on');
      at += 1;
      if ((used.get(node.name) ?? 0) <= least) return node;
      if (looked >= nodes.length) {
        least += 1;
        looked = 0;
      }
    }
  };
}

function range(text: string): Cidr {
  return present(parseCidr(text), `range ${text}`);
}
