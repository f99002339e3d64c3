/**
 * A model of the Cilium Helm chart, minors 1.13 to 1.20: what `helm template` prints of it that
 * matters to a CNI change, or the words with which it refuses. Schema first, then templates, as Helm
 * does. Hubble's, Envoy's and the cluster mesh's ConfigMaps, Services and Secrets are left out.
 */
import type { ConfigMapObject, KubeObject } from '../../model/kubernetes.ts';
import { atLeast } from '../../base/versions.ts';
import { agentDaemonSet, type RenderContext } from './agent-daemon-set.ts';
import { ciliumConfigData, hasEnvoyDaemonSet } from './config-map.ts';
import { mergedValues } from './defaults.ts';
import { envoyDaemonSet } from './envoy-daemon-set.ts';
import { operatorDeployment } from './operator-deployment.ts';
import { schemaProblems, type ValueProblem } from './schema.ts';
import { templateProblems } from './template-failures.ts';
import { isTruthy, showValue, valueAt, type ChartValues } from './values.ts';

export interface RenderRequest {
  /** Chart version: `1.16.5` or `v1.16.5`. */
  readonly version: string;
  readonly values: ChartValues;
  readonly namespace: string;
  readonly release: string;
}

export type RenderResult =
  | { readonly ok: true; readonly objects: readonly KubeObject[] }
  | {
      readonly ok: false;
      /** Helm's own message. */
      readonly message: string;
      readonly problems: readonly ValueProblem[];
    };

export function renderCiliumChart(request: RenderRequest): RenderResult {
  const { version } = request;
  const values = mergedValues(version, request.values);
  const wrongTypes = schemaProblems(version, values);
  if (wrongTypes.length > 0) {
    return { ok: false, message: schemaMessage(wrongTypes), problems: wrongTypes };
  }
  const failures = templateProblems(version, values);
  const [first] = failures;
  if (first !== undefined) {
    const message = `Error: execution error at (cilium/templates/${first.template}): ${first.message}`;
    return {
      ok: false,
      message,
      problems: failures.map(({ path, kind, message: text }) => ({ path, kind, message: text })),
    };
  }
  return { ok: true, objects: objects(request, values) };
}

/** Everything that keeps a version's chart from rendering the values, schema and templates alike. */
export function chartProblems(version: string, values: ChartValues): readonly ValueProblem[] {
  const merged = mergedValues(version, values);
  return [...schemaProblems(version, merged), ...templateProblems(version, merged)];
}

function schemaMessage(problems: readonly ValueProblem[]): string {
  return [
    "Error: values don't meet the specifications of the schema(s) in the following chart(s):",
    'cilium:',
    ...problems.map(({ path, message }) => `- at '/${path.replaceAll('.', '/')}': ${message}`),
    '',
  ].join('\n');
}

function objects(request: RenderRequest, values: ChartValues): readonly KubeObject[] {
  const { version, namespace, release } = request;
  const config = ciliumConfigData(version, values);
  const context: RenderContext = { version, values, namespace, release, config };
  const running = !isTruthy(valueAt(values, 'preflight.enabled'));
  const envoy = running && hasEnvoyDaemonSet(version, values);
  const agent = running && isTruthy(valueAt(values, 'agent'));
  const operator = isTruthy(valueAt(values, 'operator.enabled'));
  const configMap: ConfigMapObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cilium-config', namespace },
    data: config,
  };
  const accounts = [
    ...(agent ? ['cilium'] : []),
    ...(envoy ? ['envoy'] : []),
    ...(operator ? ['operator'] : []),
  ].map((role) => account(values, namespace, role));
  return [
    ...accounts,
    ...(hasConfigMap(version, values) ? [configMap] : []),
    ...(agent
      ? rbac('cilium', showValue(valueAt(values, 'serviceAccounts.cilium.name')), namespace)
      : []),
    ...(operator
      ? rbac(
          'cilium-operator',
          showValue(valueAt(values, 'serviceAccounts.operator.name')),
          namespace,
        )
      : []),
    ...(agent ? [agentDaemonSet(context)] : []),
    ...(envoy ? [envoyDaemonSet(context)] : []),
    ...(operator ? [operatorDeployment(context)] : []),
  ].map((object) => owned(object, request));
}

/** Up to 1.15 it goes with the agent alone. */
function hasConfigMap(version: string, values: ChartValues): boolean {
  if (isTruthy(valueAt(values, 'preflight.enabled'))) return false;
  const users = ['agent', 'operator.enabled', 'clustermesh.useAPIServer'];
  if (!atLeast(version, '1.18.0')) users.push('externalWorkloads.enabled');
  const asked = atLeast(version, '1.16.0') ? users : ['agent'];
  return asked.some((path) => isTruthy(valueAt(values, path)));
}

function account(values: ChartValues, namespace: string, role: string): KubeObject {
  const name = showValue(valueAt(values, `serviceAccounts.${role}.name`));
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
}

function rbac(name: string, serviceAccount: string, namespace: string): readonly KubeObject[] {
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
  };
  return [
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name } },
    binding,
  ];
}

/** Helm's marks of ownership, which it checks before it takes an object over (FM-36). */
function owned<T extends KubeObject>(object: T, request: RenderRequest): T {
  const { metadata } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: {
        ...metadata.annotations,
        'meta.helm.sh/release-name': request.release,
        'meta.helm.sh/release-namespace': request.namespace,
      },
    },
  };
}
