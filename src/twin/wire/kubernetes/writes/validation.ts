/**
 * What the served twin refuses to store: names, selectors and fields without which its controllers
 * could not run the object (KK pkg/apis/*\/validation). Less than a real API server refuses.
 */
import { matchesLabels } from '../../../../model/kubernetes.ts';
import { type FieldProblem, invalid } from '../../../api/writes/write-refusal.ts';
import type { Resource } from '../../../api/served-resources.ts';
import {
  isMap,
  listOf,
  mapOf,
  textMapOf,
  textOf,
  type Tree,
  valueAt,
} from '../../../../base/json-tree.ts';
import { isEqual } from '../../../api/tree.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_WORDS =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
/** Kinds whose names are path segments and no more (rbac). */
const FREE_NAMES = new Set(['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']);

const TEMPLATED = new Set(['DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet']);

/** Throws 422. */
export function validate(resource: Resource, object: Tree, old?: Tree): void {
  const name = textOf(valueAt(object, 'metadata', 'name'));
  const problems = [
    ...nameProblems(resource.kind, name),
    ...(resource.definition === undefined ? specProblems(resource.kind, object) : []),
    ...(old === undefined ? [] : immutableProblems(resource.kind, old, object)),
  ];
  if (problems.length > 0) throw invalid(resource, name, problems);
}

function nameProblems(kind: string, name: string): readonly FieldProblem[] {
  const field = 'metadata.name';
  if (name === '') return [{ type: 'Required', field, detail: 'name or generateName is required' }];
  if (FREE_NAMES.has(kind) || (SUBDOMAIN.test(name) && name.length <= 253)) return [];
  return [{ type: 'Invalid', field, detail: SUBDOMAIN_WORDS, value: name }];
}

function specProblems(kind: string, object: Tree): readonly FieldProblem[] {
  const spec = mapOf(object['spec']);
  if (kind === 'Pod') return podProblems(spec, 'spec');
  if (kind === 'Job')
    return podProblems(mapOf(valueAt(spec, 'template', 'spec')), 'spec.template.spec');
  if (!TEMPLATED.has(kind)) return [];
  return [
    ...selectorProblems(spec),
    ...podProblems(mapOf(valueAt(spec, 'template', 'spec')), 'spec.template.spec'),
  ];
}

function selectorProblems(spec: Tree): readonly FieldProblem[] {
  const { selector } = spec;
  if (!isMap(selector)) return [{ type: 'Required', field: 'spec.selector', detail: '' }];
  const labels = textMapOf(valueAt(spec, 'template', 'metadata', 'labels'));
  const expressions = listOf(selector['matchExpressions']).map((each) => ({
    key: textOf(valueAt(each, 'key')),
    operator: textOf(valueAt(each, 'operator')),
    values: listOf(valueAt(each, 'values')).map(textOf),
  }));
  const matchLabels = textMapOf(selector['matchLabels']);
  if (Object.keys(matchLabels).length === 0 && expressions.length === 0) {
    return [
      {
        type: 'Invalid',
        field: 'spec.selector',
        detail: 'empty selector is invalid for deployment',
        value: selector,
      },
    ];
  }
  if (matchesLabels({ matchLabels, matchExpressions: expressions }, labels)) return [];
  return [
    {
      type: 'Invalid',
      field: 'spec.template.metadata.labels',
      detail: '`selector` does not match template `labels`',
      value: labels,
    },
  ];
}

function podProblems(spec: Tree, field: string): readonly FieldProblem[] {
  const containers = listOf(spec['containers']);
  if (containers.length === 0)
    return [{ type: 'Required', field: `${field}.containers`, detail: '' }];
  const volumes = new Set(listOf(spec['volumes']).map((each) => valueAt(each, 'name')));
  const problems: FieldProblem[] = [];
  const seen = new Set<string>();
  for (const [list, all] of [
    ['initContainers', listOf(spec['initContainers'])],
    ['containers', containers],
  ] as const) {
    for (const [index, each] of all.entries()) {
      const at = `${field}.${list}[${index}]`;
      const name = textOf(valueAt(each, 'name'));
      if (name === '') problems.push({ type: 'Required', field: `${at}.name`, detail: '' });
      else if (seen.has(name))
        problems.push({ type: 'Duplicate', field: `${at}.name`, detail: '', value: name });
      seen.add(name);
      if (textOf(valueAt(each, 'image')) === '')
        problems.push({ type: 'Required', field: `${at}.image`, detail: '' });
      for (const [place, mount] of listOf(valueAt(each, 'volumeMounts')).entries()) {
        const volume = valueAt(mount, 'name');
        if (volumes.has(volume)) continue;
        const path = `${at}.volumeMounts[${place}].name`;
        problems.push({ type: 'Invalid', field: path, detail: 'Not found', value: volume });
      }
    }
  }
  return problems;
}

const IMMUTABLE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  DaemonSet: [['spec', 'selector']],
  Deployment: [['spec', 'selector']],
  ReplicaSet: [['spec', 'selector']],
  StatefulSet: [
    ['spec', 'selector'],
    ['spec', 'serviceName'],
  ],
  Job: [
    ['spec', 'template'],
    ['spec', 'completions'],
  ],
};

function immutableProblems(kind: string, old: Tree, object: Tree): readonly FieldProblem[] {
  if (kind === 'Pod') return podChangeProblems(old, object);
  return (IMMUTABLE[kind] ?? []).flatMap((path): readonly FieldProblem[] => {
    const before = valueAt(old, ...path);
    const value = valueAt(object, ...path);
    if (before === undefined || isEqual(before, value)) return [];
    return [{ type: 'Invalid', field: path.join('.'), detail: 'field is immutable', value }];
  });
}

const POD_UPDATE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function podChangeProblems(old: Tree, object: Tree): readonly FieldProblem[] {
  if (isEqual(fixedPart(old), fixedPart(object))) return [];
  return [{ type: 'Forbidden', field: 'spec', detail: POD_UPDATE }];
}

function fixedPart(pod: Tree): Tree {
  const {
    activeDeadlineSeconds: _deadline,
    tolerations: _tolerations,
    ...spec
  } = mapOf(pod['spec']);
  return {
    ...spec,
    containers: imageless(spec['containers']),
    initContainers: imageless(spec['initContainers']),
  };
}

function imageless(list: unknown): readonly unknown[] {
  return listOf(list).map((each) => ({ ...mapOf(each), image: '' }));
}
