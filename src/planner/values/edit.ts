/** Helm values as they are changed: a fix at a time, each said aloud. */
import {
  type ChartValues,
  hasPath,
  isTable,
  valueAt,
  withValue,
} from '../../knowledge/cilium-chart/values.ts';

export interface Fixing {
  values: ChartValues;
  readonly version: string;
  /** Says what was changed and why. */
  say(path: string, choice: string, because: string): void;
}

export function setValue(fixing: Fixing, path: string, value: unknown): void {
  fixing.values = withValue(fixing.values, path, value);
}

export function dropValue(fixing: Fixing, path: string): void {
  fixing.values = withoutPath(fixing.values, path);
}

/** Without the value, and without the tables that it leaves empty. */
export function withoutPath(values: ChartValues, path: string): ChartValues {
  if (!hasPath(values, path)) return values;
  const [head = '', ...rest] = path.split('.');
  const { [head]: child, ...others } = values;
  if (rest.length === 0 || !isTable(child)) return others;
  const kept = withoutPath(child, rest.join('.'));
  return Object.keys(kept).length === 0 ? others : { ...values, [head]: kept };
}

export function stringAt(values: ChartValues, path: string): string | undefined {
  const value = valueAt(values, path);
  return value === undefined || value === null ? undefined : String(value);
}
