/**
 * Whether an object has the shape that its kind needs before anybody may read it as that kind. The
 * API server would refuse the same; a patch or a template under a kind's name also ends here.
 */
import { isTable } from './intake.ts';

type Table = Readonly<Record<string, unknown>>;

/** What is wrong, in words; undefined when the object can be read as its kind. */
export function faultOf(kind: string, apiVersion: string, object: Table): string | undefined {
  const metadata = isTable(object['metadata']) ? object['metadata'] : {};
  for (const field of ['labels', 'annotations']) {
    const fault = textMapFault(metadata[field]);
    if (fault !== undefined) return `metadata.${field}: ${fault}`;
  }
  if (metadata['ownerReferences'] !== undefined && !areTables(metadata['ownerReferences']))
    return 'metadata.ownerReferences is no list of owners';
  const check =
    SHAPES[`${kind}.${apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''}`];
  return check?.(object);
}

const SHAPES: Readonly<Record<string, (object: Table) => string | undefined>> = {
  'Pod.': ({ spec, status }) => podSpecFault(spec, 'spec') ?? tableFault(status, 'status'),
  'DaemonSet.apps': workloadFault,
  'Deployment.apps': workloadFault,
  'StatefulSet.apps': workloadFault,
  'ReplicaSet.apps': workloadFault,
  'Job.batch': workloadFault,
  'Node.': ({ spec, status }) =>
    tableFault(spec, 'spec') ??
    tableFault(status, 'status') ??
    listFault(status, 'addresses') ??
    textListFault(spec, 'podCIDRs'),
  'Service.': ({ spec }) =>
    tableFault(spec, 'spec') ?? listFault(spec, 'ports') ?? selectorFault(spec),
  'PodDisruptionBudget.policy': ({ spec, status }) =>
    tableFault(spec, 'spec') ?? tableFault(status, 'status'),
  'NetworkPolicy.networking.k8s.io': ({ spec }) =>
    tableFault(spec, 'spec') ?? listFault(spec, 'ingress') ?? listFault(spec, 'egress'),
  'PersistentVolume.': ({ spec }) => tableFault(spec, 'spec'),
  'ConfigMap.': ({ data }) => {
    const fault = textMapFault(data);
    return fault === undefined ? undefined : `data: ${fault}`;
  },
  'ValidatingWebhookConfiguration.admissionregistration.k8s.io': (object) =>
    listFault(object, 'webhooks'),
  'MutatingWebhookConfiguration.admissionregistration.k8s.io': (object) =>
    listFault(object, 'webhooks'),
};

function workloadFault({ spec, status }: Table): string | undefined {
  if (!isTable(spec)) return 'spec is missing';
  const template = spec['template'];
  if (!isTable(template)) return 'spec.template is missing';
  const metadata = template['metadata'];
  const fault = isTable(metadata) ? textMapFault(metadata['labels']) : undefined;
  if (fault !== undefined) return `spec.template.metadata.labels: ${fault}`;
  return podSpecFault(template['spec'], 'spec.template.spec') ?? tableFault(status, 'status');
}

function podSpecFault(spec: unknown, path: string): string | undefined {
  if (!isTable(spec)) return `${path} is missing`;
  if (!areTables(spec['containers'])) return `${path}.containers is no list of containers`;
  for (const field of ['initContainers', 'volumes', 'tolerations']) {
    if (spec[field] !== undefined && spec[field] !== null && !areTables(spec[field]))
      return `${path}.${field} is no list of mappings`;
  }
  return undefined;
}

function selectorFault(spec: unknown): string | undefined {
  const fault = isTable(spec) ? textMapFault(spec['selector']) : undefined;
  return fault === undefined ? undefined : `spec.selector: ${fault}`;
}

function tableFault(value: unknown, path: string): string | undefined {
  return value === undefined || value === null || isTable(value)
    ? undefined
    : `${path} is no mapping`;
}

function listFault(parent: unknown, field: string): string | undefined {
  const value = isTable(parent) ? parent[field] : undefined;
  return value === undefined || value === null || areTables(value)
    ? undefined
    : `${field} is no list of mappings`;
}

function textListFault(parent: unknown, field: string): string | undefined {
  const value = isTable(parent) ? parent[field] : undefined;
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
    ? undefined
    : `${field} is no list of texts`;
}

function textMapFault(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isTable(value)) return 'not a mapping';
  const key = Object.keys(value).find((name) => typeof value[name] !== 'string');
  return key === undefined ? undefined : `the value of "${key}" is not a text; quote it`;
}

function areTables(value: unknown): boolean {
  return Array.isArray(value) && value.every(isTable);
}
