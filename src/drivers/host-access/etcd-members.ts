/**
 * The members of etcd where no API of the machine tells them: from what the cluster says of itself.
 * K3s and RKE2 label their members' nodes and say who votes; kubeadm runs a static pod for each. Who
 * leads is not told there. None at all where etcd is not in the cluster.
 * Source: k3s:pkg/etcd/etcd.go (condition EtcdIsVoter, label node-role.kubernetes.io/etcd).
 */
import type { Condition, NodeObject, PodObject } from '../../model/kubernetes.ts';
import type { KubernetesReads } from '../../ports/index.ts';
import type { EtcdMember } from '../../ports/node-host.ts';

const ETCD_ROLE = 'node-role.kubernetes.io/etcd';

export async function etcdMembersByObjects(
  kubernetes: Pick<KubernetesReads, 'list'>,
): Promise<readonly EtcdMember[]> {
  const nodes = await kubernetes.list<NodeObject>('v1', 'Node', { labelSelector: ETCD_ROLE });
  if (nodes.length > 0) return nodes.map(memberOfNode);
  const pods = await kubernetes.list<PodObject>('v1', 'Pod', {
    namespace: 'kube-system',
    labelSelector: { component: 'etcd' },
  });
  return pods.flatMap(({ spec, status }) =>
    spec.nodeName === undefined
      ? []
      : [
          {
            node: spec.nodeName,
            healthy: isTrue(status.conditions, 'Ready'),
            learner: false,
            leader: false,
          },
        ],
  );
}

function memberOfNode({ metadata, status }: NodeObject): EtcdMember {
  const voter = status.conditions?.find(({ type }) => type === 'EtcdIsVoter');
  return {
    node: metadata.name,
    healthy: isTrue(status.conditions, 'Ready') && voter?.status === 'True',
    learner: voter?.status === 'False',
    leader: false,
  };
}

function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((each) => each.type === type && each.status === 'True') === true;
}
