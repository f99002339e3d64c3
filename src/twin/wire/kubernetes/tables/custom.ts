/** Custom resources in a table: the columns their definition asks for, by simple JSON paths. */
import { isMap, listOf, mapOf, textOf, type Tree, valueAt } from '../../../../base/json-tree.ts';
import {
  AGE,
  ageOf,
  ageSince,
  type Cell,
  type Column,
  NAME,
  nameOf,
  type Printer,
} from './table.ts';

export function customPrinter(version: Tree): Printer {
  const asked = listOf(version['additionalPrinterColumns']).map(mapOf);
  if (asked.length === 0) return defaultPrinter;
  return {
    columns: [NAME, ...asked.map(columnOf)],
    cells: (object, now) => [nameOf(object), ...asked.map((column) => cellOf(column, object, now))],
  };
}

export const defaultPrinter: Printer = {
  columns: [NAME, { ...AGE, name: 'Age' }],
  cells: (object, now) => [nameOf(object), ageOf(object, now)],
};

const TYPES = ['string', 'integer', 'number', 'boolean', 'date'] as const;

function columnOf(column: Tree): Column {
  const priority = column['priority'];
  return {
    name: textOf(column['name']),
    type: TYPES.find((type) => type === column['type']) ?? 'string',
    priority: typeof priority === 'number' ? priority : 0,
    description: textOf(column['description']),
  };
}

function cellOf(column: Tree, object: Tree, now: number): Cell {
  const [value] = jsonPath(object, textOf(column['jsonPath']));
  if (value === undefined || value === null) return column['type'] === 'string' ? '' : null;
  if (column['type'] === 'date') return ageSince(textOf(value), now);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  return JSON.stringify(value);
}

const STEP =
  /^(?:\.([\w-]+(?:\\\.[\w\\./-]+)*)|\['([^']+)'\]|\[(\d+)\]|\[\*\]|\[\?\(@\.([\w.]+)\s*==\s*["']([^"']*)["']\)\])/;

/** The part of JSONPath that printer columns use: fields, indices, `[*]` and one equality. */
export function jsonPath(root: unknown, path: string): readonly unknown[] {
  let values: readonly unknown[] = [root];
  for (let rest = path; rest !== '';) {
    const step = STEP.exec(rest);
    if (step === null) return [];
    const [whole, field, quoted, index, key, wanted] = step;
    values = values.flatMap((value): readonly unknown[] => {
      const name = (field ?? quoted)?.replaceAll('\\.', '.');
      if (name !== undefined) return isMap(value) && name in value ? [value[name]] : [];
      if (index !== undefined) return listOf(value).slice(Number(index), Number(index) + 1);
      if (key === undefined) return listOf(value);
      return listOf(value).filter((each) => valueAt(each, ...key.split('.')) === wanted);
    });
    rest = rest.slice(whole.length);
  }
  return values;
}
