/** FM-21: an admission webhook on the pod network that the change of the CNI itself has to pass. */
import type { Located } from '../../model/config-tree.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import type { Certainty, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { matchesLabels } from '../../model/kubernetes.ts';
import type { LabelSelector, WebhookConfigurationObject } from '../../model/kubernetes.ts';
import { backendNetwork } from '../backends.ts';
import {
  evidenceIn,
  finding,
  judgedInPart,
  listOf,
  MISSING,
  missingUnlessLive,
} from '../finding.ts';
import { nameOf, objectsOf } from '../objects.ts';

export const hazard: Hazard = {
  id: 'webhook-on-pod-network',
  covers: ['FM-21'],
  title: 'An admission webhook on the pod network stands in the way of the CNI change',
  severity: 'critical',
  holdsFor: 'every Kubernetes version with admission webhooks v1',
  why: 'The API server, on the host network, dials the pods of a webhook before it accepts a write. With failurePolicy Fail and rules that match Nodes, Leases or the pods of kube-system, the CNI that would bring the network back cannot be created while the network is away.',
  references: [
    'longhorn/longhorn#12642',
    'longhorn/longhorn#8293',
    'cert-manager/website#1002',
    'kubernetes:admissionregistration.k8s.io/v1',
  ],
  foretell,
  signs: { occurrences: ['api.webhook-unreachable'] },
};

type Webhook = NonNullable<WebhookConfigurationObject['webhooks']>[number];

/** What a migration writes, and where. Cluster-scoped objects pass no namespace selector. */
const WRITTEN = [
  { resource: 'nodes', group: '', operation: 'UPDATE', namespace: undefined },
  { resource: 'pods', group: '', operation: 'CREATE', namespace: 'kube-system' },
  { resource: 'configmaps', group: '', operation: 'UPDATE', namespace: 'kube-system' },
  { resource: 'daemonsets', group: 'apps', operation: 'UPDATE', namespace: 'kube-system' },
  {
    resource: 'leases',
    group: 'coordination.k8s.io',
    operation: 'UPDATE',
    namespace: 'kube-node-lease',
  },
  {
    resource: 'leases',
    group: 'coordination.k8s.io',
    operation: 'UPDATE',
    namespace: 'kube-system',
  },
  { resource: 'ciliumnodes', group: 'cilium.io', operation: 'UPDATE', namespace: undefined },
] as const;

/** Labels of the pods and objects of a CNI, for object selectors. */
const CNI_LABELS = { 'k8s-app': 'cilium', 'app.kubernetes.io/name': 'cilium-agent' };

function foretell(facts: ClusterFacts): Foretelling {
  const findings = facts.workloads.webhooks.flatMap((configuration) =>
    (configuration.value.webhooks ?? []).flatMap((webhook, index) =>
      describe(facts, configuration, webhook, index),
    ),
  );
  return judgedInPart(findings, missingUnlessLive(facts, MISSING.webhooks));
}

function describe(
  facts: ClusterFacts,
  configuration: Located<WebhookConfigurationObject>,
  webhook: Webhook,
  index: number,
): readonly Finding[] {
  const service = webhook.clientConfig?.service;
  if (service === undefined || webhook.failurePolicy === 'Ignore') return [];
  const blocked = [
    ...new Set(WRITTEN.filter((write) => matches(facts, webhook, write)).map(wording)),
  ];
  if (blocked.length === 0) return [];
  const backend = backendNetwork(facts, service);
  if (backend === 'host') return [];
  const certainty: Certainty = backend === 'pod' ? 'proven' : 'likely';
  const path = ['webhooks', index, 'rules'];
  return [
    finding(hazard, {
      certainty,
      message: `Webhook ${webhook.name} of ${nameOf(configuration.value)} has failurePolicy Fail, is answered by pods behind Service ${service.namespace}/${service.name} on the pod network, and must be asked before ${listOf(blocked)} may be written. While those pods cannot be reached (their node is drained, or its network is being changed), such writes are refused after ${webhook.timeoutSeconds ?? 10} seconds, those that would repair the network among them.`,
      evidence: [evidenceIn(facts, configuration, path, blocked)],
      fix: {
        summary: `Exclude kube-system (and Nodes, Leases) from the webhook, or set its failurePolicy to Ignore, for the time of the migration only; write down what it was and put it back. Keep two of its pods on different nodes.`,
        patch:
          'webhooks:\n  - name: ' +
          webhook.name +
          '\n    namespaceSelector:\n      matchExpressions:\n        - key: kubernetes.io/metadata.name\n          operator: NotIn\n          values: [kube-system, kube-node-lease]\n',
      },
    }),
  ];
}

function wording({ resource, namespace }: (typeof WRITTEN)[number]): string {
  return namespace === undefined ? resource : `${resource} of ${namespace}`;
}

function matches(
  facts: ClusterFacts,
  webhook: Webhook,
  { resource, group, operation, namespace }: (typeof WRITTEN)[number],
): boolean {
  const ruled = (webhook.rules ?? []).some(
    (rule) =>
      includes(rule.apiGroups, group) &&
      includes(rule.operations, operation) &&
      (includes(rule.resources, resource) || rule.resources?.includes('*/*') === true),
  );
  return (
    ruled &&
    (namespace === undefined ||
      selects(webhook.namespaceSelector, namespaceLabels(facts, namespace))) &&
    selects(webhook.objectSelector, CNI_LABELS)
  );
}

function includes(list: readonly string[] = [], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

/** An absent selector selects everything, unlike elsewhere in Kubernetes. */
function selects(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return selector === undefined || matchesLabels(selector, labels);
}

function namespaceLabels(facts: ClusterFacts, name: string): Readonly<Record<string, string>> {
  const read = objectsOf(facts, 'Namespace').find(({ object }) => object.metadata.name === name);
  return { 'kubernetes.io/metadata.name': name, ...read?.object.metadata.labels };
}
