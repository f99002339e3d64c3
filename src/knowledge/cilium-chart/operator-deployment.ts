/**
 * Deployment `cilium-operator` as the chart renders it.
 * Source: charts:cilium/templates/cilium-operator/deployment.yaml@1.13.18 … 1.20.0.
 */
import { atLeast } from '../../base/versions.ts';
import type { DeploymentObject, Toleration } from '../../model/kubernetes.ts';
import {
  apiServerEnv,
  configChecksum,
  imageOf,
  loopback,
  tolerationsOf,
  type RenderContext,
} from './agent-daemon-set.ts';
import { isTruthy, showValue, valueAt, type ChartValues } from './values.ts';

const SELECTOR = { 'io.cilium/app': 'operator', name: 'cilium-operator' };

export function operatorDeployment(context: RenderContext): DeploymentObject {
  const { values } = context;
  const labels = {
    ...SELECTOR,
    'app.kubernetes.io/part-of': 'cilium',
    'app.kubernetes.io/name': 'cilium-operator',
  };
  const cloud = cloudOf(values);
  const replicas = Number(valueAt(values, 'operator.replicas') ?? 2);
  const hostNetwork = onHostNetwork(context);
  const probe = {
    httpGet: {
      ...(hostNetwork ? { host: loopback(values) } : {}),
      path: '/healthz',
      port: 9234,
    },
    timeoutSeconds: 3,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'cilium-operator', namespace: context.namespace, labels },
    spec: {
      replicas,
      selector: { matchLabels: SELECTOR },
      strategy: strategy(values, replicas),
      template: {
        metadata: {
          labels,
          ...(isTruthy(valueAt(values, 'operator.rollOutPods'))
            ? { annotations: configChecksum(context) }
            : {}),
        },
        spec: {
          hostNetwork,
          restartPolicy: 'Always',
          priorityClassName:
            showValue(valueAt(values, 'operator.priorityClassName')) || 'system-cluster-critical',
          serviceAccountName: showValue(valueAt(values, 'serviceAccounts.operator.name')),
          // Two operators never share a node: with replicas 2 a one-node cluster keeps one Pending.
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                {
                  labelSelector: { matchLabels: { 'io.cilium/app': 'operator' } },
                  topologyKey: 'kubernetes.io/hostname',
                },
              ],
            },
          },
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          tolerations: tolerations(context),
          containers: [
            {
              name: 'cilium-operator',
              image: imageOf(context, 'operator.image', `-${cloud}`),
              command: [`cilium-operator-${cloud}`],
              args: ['--config-dir=/tmp/cilium/config-map', '--debug=$(CILIUM_DEBUG)'],
              env: apiServerEnv(values),
              livenessProbe: { ...probe, initialDelaySeconds: 60, periodSeconds: 10 },
              readinessProbe: { ...probe, periodSeconds: 5, failureThreshold: 5 },
              volumeMounts: [{ name: 'cilium-config-path', mountPath: '/tmp/cilium/config-map' }],
            },
          ],
          volumes: [{ name: 'cilium-config-path', configMap: { name: 'cilium-config' } }],
        },
      },
    },
  };
}

/** A choice since 1.16. */
function onHostNetwork({ version, values }: RenderContext): boolean {
  return !atLeast(version, '1.16.0') || isTruthy(valueAt(values, 'operator.hostNetwork'));
}

/** Since 1.18 the agent's own taint is tolerated beside what is listed. */
function tolerations({ version, values }: RenderContext): readonly Toleration[] {
  const key = showValue(valueAt(values, 'agentNotReadyTaintKey'));
  const own = atLeast(version, '1.18.0') && key !== '';
  return [
    ...tolerationsOf(values, 'operator.tolerations'),
    ...(own ? [{ key, operator: 'Exists' as const }] : []),
  ];
}

function strategy(
  values: ChartValues,
  replicas: number,
): NonNullable<DeploymentObject['spec']['strategy']> {
  const given = valueAt(values, 'operator.updateStrategy');
  if (replicas !== 1) {
    // Passed through as given, like the chart does.
    return given as NonNullable<DeploymentObject['spec']['strategy']>;
  }
  const surge = valueAt(values, 'operator.updateStrategy.rollingUpdate.maxSurge');
  return {
    type: 'RollingUpdate',
    rollingUpdate: {
      maxSurge: typeof surge === 'number' ? surge : showValue(surge),
      maxUnavailable: '100%',
    },
  };
}

function cloudOf(values: ChartValues): string {
  if (isTruthy(valueAt(values, 'eni.enabled'))) return 'aws';
  if (isTruthy(valueAt(values, 'azure.enabled'))) return 'azure';
  return isTruthy(valueAt(values, 'alibabacloud.enabled')) ? 'alibabacloud' : 'generic';
}
