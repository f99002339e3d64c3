/**
 * Tables as `kubectl get` asks for them (`as=Table;v=v1;g=meta.k8s.io`): columns and cells per kind,
 * in the words of KK pkg/printers/internalversion/printers.go.
 */
import { mapOf, textOf, type Tree, valueAt } from '../../../../base/json-tree.ts';

export interface Column {
  readonly name: string;
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: 'name';
  /** 1: with `-o wide` only. */
  readonly priority?: number;
  readonly description?: string;
}

export type Cell = string | number | boolean | null;

export interface Printer {
  readonly columns: readonly Column[];
  /** `now` in milliseconds since 1970. */
  cells(object: Tree, now: number): readonly Cell[];
}

export const NAME: Column = {
  name: 'Name',
  format: 'name',
  description: 'Name must be unique within a namespace.',
};
export const AGE: Column = {
  name: 'Age',
  description: 'Time since the object was created.',
};

export const NONE = '<none>';
export const UNSET = '<unset>';
export const UNKNOWN = '<unknown>';

export function wide(name: string, type: Column['type'] = 'string'): Column {
  return { name, type, priority: 1 };
}

/** As it stands in a Table: all fields that clients look at are there. */
export function columnDefinitions(columns: readonly Column[]): readonly Tree[] {
  return columns.map(({ name, type = 'string', format = '', priority = 0, description = '' }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

export function nameOf(object: Tree): string {
  return textOf(valueAt(object, 'metadata', 'name'));
}

export function ageOf(object: Tree, now: number): string {
  return ageSince(textOf(valueAt(object, 'metadata', 'creationTimestamp')), now);
}

export function ageSince(timestamp: string, now: number): string {
  const time = Date.parse(timestamp);
  return Number.isNaN(time) ? UNKNOWN : humanDuration((now - time) / 1000);
}

/** KK staging/src/k8s.io/apimachinery/pkg/util/duration HumanDuration. */
export function humanDuration(exactSeconds: number): string {
  const seconds = Math.trunc(exactSeconds);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (hours < 192) return two(Math.trunc(hours / 24), 'd', hours % 24, 'h');
  const days = Math.trunc(hours / 24);
  if (days < 730) return `${days}d`;
  if (days < 2_920) return two(Math.trunc(days / 365), 'y', days % 365, 'd');
  return `${Math.trunc(days / 365)}y`;
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** `a=b,c=d`, ordered. */
export function labelsText(labels: unknown): string {
  const pairs = Object.entries(mapOf(labels)).map(([key, value]) => `${key}=${String(value)}`);
  return pairs.length === 0 ? NONE : pairs.toSorted().join(',');
}

/** A label selector as `metav1.FormatLabelSelector` shows it. */
export function selectorText(selector: unknown): string {
  const labels = Object.entries(mapOf(valueAt(selector, 'matchLabels')))
    .map(([key, value]) => `${key}=${String(value)}`)
    .toSorted();
  const expressions = valueAt(selector, 'matchExpressions');
  const more = Array.isArray(expressions) ? expressions.map(expressionText) : [];
  const all = [...labels, ...more];
  return all.length === 0 ? NONE : all.join(',');
}

function expressionText(expression: unknown): string {
  const { key, operator, values } = mapOf(expression);
  const list = Array.isArray(values) ? values.map(String).toSorted().join(',') : '';
  switch (operator) {
    case 'Exists':
      return textOf(key);
    case 'DoesNotExist':
      return `!${textOf(key)}`;
    default:
      return `${textOf(key)} ${textOf(operator).toLowerCase()} (${list})`;
  }
}
