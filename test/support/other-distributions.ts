/** The objects of a generated Talos cluster on machines of another system. */
import type { ClusterInput } from '../../src/model/cluster-input.ts';
import type { NodeObject } from '../../src/model/kubernetes.ts';

const KUBELET_MARKS = { kubeadm: '', k3s: '+k3s1', rke2: '+rke2r1' } as const;

export function asDistribution(
  input: ClusterInput,
  distribution: 'talos' | keyof typeof KUBELET_MARKS,
): ClusterInput {
  if (distribution === 'talos') return input;
  const mark = KUBELET_MARKS[distribution];
  const objects = input.objects.map((each) => {
    if (each.object.kind !== 'Node') return each;
    const node = each.object as NodeObject; // its kind says so
    const kubeletVersion = `${node.status.nodeInfo?.kubeletVersion ?? ''}${mark}`;
    const nodeInfo = {
      ...node.status.nodeInfo,
      osImage: 'Ubuntu 24.04.1 LTS',
      kubeletVersion,
    };
    const object: NodeObject = { ...node, status: { ...node.status, nodeInfo } };
    return { ...each, object };
  });
  return { ...input, objects, machineConfigs: [] };
}
