/** Services with their EndpointSlices, budgets, and whole objects a spec brings along. */
import { present } from '../../base/assert.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { ClusterLayout } from './cluster-layout.ts';
import type { ClusterSpec, WorkloadSpec } from './cluster-spec.ts';
import { BORN } from './generated-pod.ts';
import { stored } from './generated-storage.ts';
import type { PlacedPod } from './generated-workload.ts';
import { suffixOf, uidOf } from './identities.ts';

export function serviceObjects(
  layout: ClusterLayout,
  workload: WorkloadSpec,
  pods: readonly PlacedPod[],
): readonly KubeObject[] {
  const { namespace, name } = workload;
  const port = workload.ports[0] ?? 80;
  const clusterIP = workload.service === 'Headless' ? 'None' : layout.nextServiceIp();
  const service = stored('v1', 'Service', namespace, name, {
    labels: { 'app.kubernetes.io/name': name },
    spec: {
      clusterIP,
      clusterIPs: [clusterIP],
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [
        { name: 'http', port, protocol: 'TCP', targetPort: port, ...nodePort(workload, port) },
      ],
      selector: { 'app.kubernetes.io/name': name },
      sessionAffinity: 'None',
      type: workload.service === 'NodePort' ? 'NodePort' : 'ClusterIP',
    },
    status: { loadBalancer: {} },
  });
  return [service, endpointSlice(workload, port, pods)];
}

function nodePort(workload: WorkloadSpec, port: number): { nodePort?: number } {
  return workload.service === 'NodePort' ? { nodePort: 30_000 + (port % 2_767) } : {};
}

function endpointSlice(
  { namespace, name }: WorkloadSpec,
  port: number,
  pods: readonly PlacedPod[],
): KubeObject {
  return stored(
    'discovery.k8s.io/v1',
    'EndpointSlice',
    namespace,
    `${name}-${suffixOf(`${namespace}/${name}`, 5)}`,
    {
      labels: {
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': name,
      },
      addressType: 'IPv4',
      endpoints: pods.map((pod) => ({
        addresses: [pod.ip],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: pod.node.name,
        targetRef: {
          kind: 'Pod',
          name: pod.name,
          namespace,
          uid: uidOf(`Pod ${namespace}/${pod.name}`),
        },
      })),
      ports: [{ name: 'http', port, protocol: 'TCP' }],
    },
  );
}

export function budgetObject(workload: WorkloadSpec, pods: number): KubeObject {
  const { namespace, name, budget } = workload;
  const allowed =
    typeof budget?.maxUnavailable === 'number'
      ? budget.maxUnavailable
      : typeof budget?.minAvailable === 'number'
        ? Math.max(0, pods - budget.minAvailable)
        : 1;
  return stored('policy/v1', 'PodDisruptionBudget', namespace, name, {
    spec: { ...budget, selector: { matchLabels: { 'app.kubernetes.io/name': name } } },
    status: {
      currentHealthy: pods,
      desiredHealthy: pods - allowed,
      disruptionsAllowed: allowed,
      expectedPods: pods,
      observedGeneration: 1,
    },
  });
}

/** An object the spec wrote out whole; it gets an identity, as any stored object has. */
export function wholeObject(raw: ClusterSpec['objects'][number]): KubeObject {
  const object = raw as unknown as KubeObject; // checked just below
  const name = present(object.metadata?.name, 'metadata.name of an object in the spec');
  const key =
    object.metadata.namespace === undefined ? name : `${object.metadata.namespace}/${name}`;
  return {
    ...object,
    metadata: { creationTimestamp: BORN, uid: uidOf(`${object.kind} ${key}`), ...object.metadata },
  };
}
