/**
 * Label and field selectors in the API's own syntax (KK apimachinery/pkg/labels/selector.go and
 * fields/selector.go): read, written and matched. What cannot be read is a `refused` error with the
 * server's words.
 */
import { RegaugeError } from '../base/errors.ts';
import type { KubeObject } from '../model/kubernetes.ts';

type Labels = Readonly<Record<string, string>>;

export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | 'absent';
  readonly values: readonly string[];
}

export interface FieldRequirement {
  readonly path: string;
  readonly equal: boolean;
  readonly value: string;
}

export function labelRequirements(selector: Labels | string | undefined): LabelRequirement[] {
  if (selector === undefined) return [];
  if (typeof selector === 'string') {
    return splitOutsideBrackets(selector).map((term) => labelTerm(term, selector));
  }
  return Object.entries(selector).map(([key, value]) => ({ key, operator: 'in', values: [value] }));
}

export function fieldRequirements(selector: Labels | string | undefined): FieldRequirement[] {
  if (selector === undefined) return [];
  if (typeof selector === 'string') {
    return selector
      .split(/(?<!\\),/)
      .filter((term) => term !== '')
      .map((term) => fieldTerm(term, selector));
  }
  return Object.entries(selector).map(([path, value]) => ({ path, equal: true, value }));
}

export function matchesRequirements(
  labels: Labels | undefined,
  requirements: readonly LabelRequirement[],
): boolean {
  return requirements.every(({ key, operator, values }) => {
    const label = labels?.[key];
    if (operator === 'exists') return label !== undefined;
    if (operator === 'absent') return label === undefined;
    if (operator === 'in') return label !== undefined && values.includes(label);
    return label === undefined || !values.includes(label);
  });
}

/** Fields the API server selects by, besides the two of every kind (KK pkg/registry, per kind). */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Pod: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  Node: ['spec.unschedulable'],
  Event: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  Namespace: ['status.phase'],
  Secret: ['type'],
  ReplicaSet: ['status.replicas'],
  ReplicationController: ['status.replicas'],
  Job: ['status.successful'],
};

/** A path that the server does not select by is refused, as it is there. */
export function matchesFields(
  object: KubeObject,
  requirements: readonly FieldRequirement[],
): boolean {
  return requirements.every(({ path, equal, value }) => {
    return (fieldOf(object, path) === value) === equal;
  });
}

export function requireSelectable(kind: string, requirements: readonly FieldRequirement[]): void {
  for (const { path } of requirements) {
    const known = path === 'metadata.name' || path === 'metadata.namespace';
    if (known || FIELDS[kind]?.includes(path) === true) continue;
    throw new RegaugeError('refused', `field label not supported: ${path}`);
  }
}

/** The text form, as it is put into a query; undefined where nothing is selected. */
export function labelSelectorText(selector: Labels | string | undefined): string | undefined {
  return selectorText(selector);
}

export function fieldSelectorText(
  selector: Labels | string | undefined,
  nodeName: string | undefined,
): string | undefined {
  const node = nodeName === undefined ? undefined : `spec.nodeName=${nodeName}`;
  const terms = [selectorText(selector), node].filter((term) => term !== undefined);
  return terms.length === 0 ? undefined : terms.join(',');
}

function selectorText(selector: Labels | string | undefined): string | undefined {
  if (selector === undefined || typeof selector === 'string') return selector;
  const terms = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  return terms.length === 0 ? undefined : terms.join(',');
}

function fieldOf(object: KubeObject, path: string): string {
  if (path === 'source') path = 'source.component';
  let value: unknown = object;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null) return '';
    value = (value as Readonly<Record<string, unknown>>)[name]; // an object, as was just asked
  }
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  return path === 'spec.unschedulable' || path === 'spec.hostNetwork' ? 'false' : '';
}

function splitOutsideBrackets(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

const KEY = String.raw`([A-Za-z0-9][-A-Za-z0-9_./]*)`;
const IN_SET = new RegExp(String.raw`^${KEY}\s+(in|notin)\s*\(([^()]*)\)$`);
const EQUAL = new RegExp(String.raw`^${KEY}\s*(==|=|!=)\s*([-A-Za-z0-9_.]*)$`);
const EXISTS = new RegExp(String.raw`^(!?)\s*${KEY}$`);

function labelTerm(term: string, whole: string): LabelRequirement {
  const set = IN_SET.exec(term);
  if (set !== null) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim());
    return { key: set[1] ?? '', operator: set[2] === 'in' ? 'in' : 'notin', values };
  }
  const equal = EQUAL.exec(term);
  if (equal !== null) {
    const operator = equal[2] === '!=' ? 'notin' : 'in';
    return { key: equal[1] ?? '', operator, values: [equal[3] ?? ''] };
  }
  const exists = EXISTS.exec(term);
  if (exists === null) {
    throw new RegaugeError('refused', `unable to parse requirement: found '${term}' in '${whole}'`);
  }
  return { key: exists[2] ?? '', operator: exists[1] === '!' ? 'absent' : 'exists', values: [] };
}

function fieldTerm(term: string, whole: string): FieldRequirement {
  const parts = /^([^=!]+)(==|=|!=)(.*)$/.exec(term);
  if (parts === null) {
    throw new RegaugeError(
      'refused',
      `invalid field selector: '${whole}'; can't understand '${term}'`,
    );
  }
  return { path: (parts[1] ?? '').trim(), equal: parts[2] !== '!=', value: parts[3] ?? '' };
}
