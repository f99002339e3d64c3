/**
 * Longhorn as it runs on every storage node: managers, CSI, instance managers (bare pods with a
 * budget each) and its own resources (knowledge failure-domains.md 2.5).
 */
import type { KubeObject } from '../../model/kubernetes.ts';
import type { ClusterLayout } from './cluster-layout.ts';
import type { ClusterSpecInput } from './cluster-spec.ts';
import { generatedPod } from './generated-pod.ts';
import { instanceManagerName, instanceManagerResource, stored } from './generated-storage.ts';

const NAMESPACE = 'longhorn-system';
type WorkloadInput = NonNullable<ClusterSpecInput['workloads']>[number];

function daemon(name: string, image: string, extra: Partial<WorkloadInput> = {}): WorkloadInput {
  return {
    kind: 'DaemonSet',
    namespace: NAMESPACE,
    name,
    image,
    labels: { app: name },
    serviceAccount: 'longhorn-service-account',
    ...extra,
  };
}

function deployment(name: string, image: string, replicas: number): WorkloadInput {
  return {
    kind: 'Deployment',
    namespace: NAMESPACE,
    name,
    image,
    replicas,
    labels: { app: name },
    serviceAccount: 'longhorn-service-account',
    apart: 'prefer',
  };
}

/** The workloads of Longhorn's chart; all of them are on the pod network. */
export function longhornWorkloads(version: string): readonly WorkloadInput[] {
  const image = (name: string): string => `longhornio/${name}:v${version}`;
  return [
    daemon('longhorn-manager', image('longhorn-manager'), {
      ports: [9500],
      args: ['daemon'],
      sidecars: [{ name: 'pre-pull-share-manager-image', image: image('longhorn-share-manager') }],
    }),
    daemon('longhorn-csi-plugin', image('longhorn-manager'), {
      args: ['csi', '--drivername=driver.longhorn.io'],
      sidecars: [
        { name: 'node-driver-registrar', image: 'longhornio/csi-node-driver-registrar:v2.13.0' },
        { name: 'longhorn-liveness-probe', image: 'longhornio/livenessprobe:v2.15.0' },
      ],
    }),
    daemon(`engine-image-ei-${version.replaceAll('.', '')}`, image('longhorn-engine')),
    deployment('csi-attacher', 'longhornio/csi-attacher:v4.8.1', 3),
    deployment('csi-provisioner', 'longhornio/csi-provisioner:v5.2.0', 3),
    deployment('csi-resizer', 'longhornio/csi-resizer:v1.13.2', 3),
    deployment('csi-snapshotter', 'longhornio/csi-snapshotter:v8.2.0', 3),
    deployment('longhorn-driver-deployer', image('longhorn-manager'), 1),
    { ...deployment('longhorn-ui', image('longhorn-ui'), 2), ports: [8000], service: 'ClusterIP' },
  ];
}

/** Instance managers, their budgets and resources, the settings, and the backend Service. */
export function longhornObjects(layout: ClusterLayout, version: string): readonly KubeObject[] {
  const nodes = layout.eligible({ toleratesControlPlane: false, nodeSelector: {} });
  const settings = [
    ['node-drain-policy', 'block-if-contains-last-replica'],
    ['auto-salvage', 'true'],
    ['replica-replenishment-wait-interval', '600'],
    ['auto-delete-pod-when-volume-detached-unexpectedly', 'true'],
  ].map(([name = '', value = '']) => ({ ...longhornResource('Setting', name), value }));
  return [
    ...settings,
    stored('v1', 'Service', NAMESPACE, 'longhorn-backend', {
      spec: {
        clusterIP: layout.nextServiceIp(),
        ports: [{ name: 'manager', port: 9500, protocol: 'TCP', targetPort: 9500 }],
        selector: { app: 'longhorn-manager' },
        type: 'ClusterIP',
      },
    }),
    ...nodes.flatMap((node) => instanceManager(layout, node, version)),
  ];
}

function instanceManager(
  layout: ClusterLayout,
  node: ClusterLayout['nodes'][number],
  version: string,
): readonly KubeObject[] {
  const name = instanceManagerName(node.name);
  const ip = layout.nextPodIp(node);
  const labels = {
    'longhorn.io/component': 'instance-manager',
    'longhorn.io/data-engine': 'v1',
    'longhorn.io/instance-manager-type': 'aio',
    'longhorn.io/node': node.name,
  };
  const pod = generatedPod({
    name,
    namespace: NAMESPACE,
    labels,
    node,
    ip,
    // Owned by Longhorn's own resource, which no drain knows as a controller of pods.
    owner: {
      apiVersion: 'longhorn.io/v1beta2',
      kind: 'InstanceManager',
      name,
      uid: instanceManagerResource(node.name, ip).metadata.uid ?? '',
      controller: true,
    },
    spec: {
      serviceAccountName: 'longhorn-service-account',
      priorityClassName: 'longhorn-critical',
      restartPolicy: 'Never',
      containers: [
        {
          name: 'instance-manager',
          image: `longhornio/longhorn-instance-manager:v${version}`,
          args: ['instance-manager', '--debug', 'daemon', '--listen', '0.0.0.0:8500'],
          ports: [{ containerPort: 8500 }],
          livenessProbe: {
            exec: { command: ['/usr/local/bin/grpc_health_probe'] },
            periodSeconds: 11,
            failureThreshold: 6,
          },
          securityContext: { privileged: true },
          volumeMounts: [{ name: 'host', mountPath: '/host' }],
        },
      ],
      volumes: [{ name: 'host', hostPath: { path: '/' } }],
    },
  });
  const budget = stored('policy/v1', 'PodDisruptionBudget', NAMESPACE, name, {
    spec: {
      minAvailable: 1,
      selector: {
        matchLabels: { 'longhorn.io/node': node.name, 'longhorn.io/component': 'instance-manager' },
      },
    },
    status: { currentHealthy: 1, desiredHealthy: 1, disruptionsAllowed: 0, expectedPods: 1 },
  });
  return [pod, budget, instanceManagerResource(node.name, ip)];
}

function longhornResource(kind: string, name: string): KubeObject {
  return stored('longhorn.io/v1beta2', kind, NAMESPACE, name, {});
}
