/**
 * DaemonSet `cilium-envoy`, where the chart renders one.
 * Source: charts:cilium/templates/cilium-envoy/daemonset.yaml@1.16.5 … 1.20.0.
 */
import type { DaemonSetObject } from '../../model/kubernetes.ts';
import {
  apiServerEnv,
  imageOf,
  loopback,
  type RenderContext,
  startupDelay,
} from './agent-daemon-set.ts';
import { showValue, valueAt } from './values.ts';

export function envoyDaemonSet(context: RenderContext): DaemonSetObject {
  const { values } = context;
  const labels = {
    'k8s-app': 'cilium-envoy',
    name: 'cilium-envoy',
    'app.kubernetes.io/name': 'cilium-envoy',
    'app.kubernetes.io/part-of': 'cilium',
  };
  const probe = { httpGet: { host: loopback(values), path: '/healthz', port: 9878 } };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'cilium-envoy', namespace: context.namespace, labels },
    spec: {
      selector: { matchLabels: { 'k8s-app': 'cilium-envoy' } },
      // Passed through as given, like the chart does.
      updateStrategy: valueAt(values, 'envoy.updateStrategy') as NonNullable<
        DaemonSetObject['spec']['updateStrategy']
      >,
      template: {
        metadata: { labels },
        spec: {
          hostNetwork: true,
          restartPolicy: 'Always',
          priorityClassName: 'system-node-critical',
          serviceAccountName: showValue(valueAt(values, 'serviceAccounts.envoy.name')),
          terminationGracePeriodSeconds: 1,
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          tolerations: [{ operator: 'Exists' }],
          containers: [
            {
              name: 'cilium-envoy',
              image: imageOf(context, 'envoy.image'),
              env: apiServerEnv(values),
              startupProbe: {
                ...probe,
                ...startupDelay(context.version),
                periodSeconds: 2,
                failureThreshold: 105,
              },
              readinessProbe: { ...probe, periodSeconds: 30, timeoutSeconds: 5 },
              livenessProbe: {
                ...probe,
                periodSeconds: 30,
                timeoutSeconds: 5,
                failureThreshold: 10,
              },
            },
          ],
        },
      },
    },
  };
}
