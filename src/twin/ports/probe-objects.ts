/**
 * What the prober applies: a pod on every node's pod network, one on every host, and a Service over
 * the former. They are ordinary pods: they live, move to another network and die as any pod does.
 */
import type { KubeObject, PodSpec } from '../../model/kubernetes.ts';
import { OWN_NAMESPACE, PRIVILEGED_NAMESPACE_LABELS } from '../../model/own-objects.ts';

export const PROBE_NAMESPACE = OWN_NAMESPACE;
export const PROBE_NAME = 'regauge-probe';
export const HOST_PROBE_NAME = 'regauge-probe-host';
const PROBE_NODE_PORT = 32_473;

const IMAGE = 'ghcr.io/regauge/probe:v0.1.0';

export function probeObjects(): readonly KubeObject[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: PROBE_NAMESPACE, labels: PRIVILEGED_NAMESPACE_LABELS },
    },
    daemonSet(PROBE_NAME, false),
    daemonSet(HOST_PROBE_NAME, true),
    service(),
  ];
}

function daemonSet(name: string, hostNetwork: boolean): KubeObject {
  const labels = { app: name };
  const spec: PodSpec = {
    ...(hostNetwork ? { hostNetwork: true } : {}),
    priorityClassName: 'system-node-critical',
    terminationGracePeriodSeconds: 1,
    tolerations: [{ operator: 'Exists' }],
    containers: [{ name: 'probe', image: IMAGE, ports: [{ containerPort: 8080 }] }],
  };
  const object = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: PROBE_NAMESPACE, labels },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  return object;
}

function service(): KubeObject {
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: PROBE_NAME, namespace: PROBE_NAMESPACE },
    spec: {
      type: 'NodePort',
      selector: { app: PROBE_NAME },
      ports: [{ name: 'probe', port: 80, targetPort: 8080, nodePort: PROBE_NODE_PORT }],
    },
  };
  return object;
}
