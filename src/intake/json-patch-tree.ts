/**
 * A JSON6902 patch seen as the partial document it amounts to, so that whoever asks for
 * `cluster.network.cni.name` finds it in `{op: replace, path: /cluster/network/cni/name, …}` too.
 */
import { pathParts } from '../model/config-tree.ts';
import type { ConfigTree, Located, TreePath } from '../model/config-tree.ts';
import { isTable } from './intake.ts';
import type { TextTree } from './text/yaml-tree.ts';
import { dataAt } from './text/yaml-tree.ts';

type Path = readonly (string | number)[];

interface Operation {
  readonly index: number;
  readonly target: readonly string[];
  readonly value: unknown;
}

/** Undefined when the list is no patch of a Talos machine config. */
export function patchTree(list: TextTree): ConfigTree | undefined {
  const operations = readOperations(list.value);
  if (operations === undefined) return undefined;
  const value = amount(operations);
  const place = (path: Path): Path | undefined => {
    const found = operations.findLast(({ target }) => startsWith(path, target));
    if (found !== undefined) return [found.index, 'value', ...path.slice(found.target.length)];
    const below = operations.find(({ target }) => startsWith(target, path));
    return below === undefined ? undefined : [below.index, 'path'];
  };
  const at = (path: TreePath): Located<unknown> | undefined => {
    const parts = pathParts(path);
    const data = dataAt(value, parts);
    const source = list.at(place(parts) ?? [])?.source ?? list.source;
    return data === undefined ? undefined : { value: data, source };
  };
  return {
    source: list.source,
    value,
    at,
    keyOf: (path) => at(path)?.source,
    nearest: (path) => {
      const parts = pathParts(path);
      let length = parts.length;
      while (length > 0 && at(parts.slice(0, length)) === undefined) length -= 1;
      return at(parts.slice(0, length))?.source ?? list.source;
    },
  };
}

function readOperations(value: unknown): readonly Operation[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const operations: Operation[] = [];
  for (const [index, entry] of value.entries()) {
    if (!isTable(entry) || typeof entry['op'] !== 'string' || typeof entry['path'] !== 'string')
      return undefined;
    const target = entry['path'].split('/').slice(1).map(unescapePointer);
    if (target[0] !== 'machine' && target[0] !== 'cluster') return undefined;
    if (entry['op'] === 'add' || entry['op'] === 'replace') {
      operations.push({ index, target, value: entry['value'] });
    }
  }
  return operations;
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

/** What the operations write, as one mapping; `-` (append) makes a list of one. */
function amount(operations: readonly Operation[]): unknown {
  let document: unknown = {};
  for (const { target, value } of operations) document = written(document, target, value);
  return document;
}

function written(node: unknown, path: readonly string[], value: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  if (head === '-') return [...(Array.isArray(node) ? (node as unknown[]) : []), value];
  const table = isTable(node) ? node : {};
  return {
    ...table,
    [head]: written(Object.hasOwn(table, head) ? table[head] : undefined, rest, value),
  };
}

function startsWith(path: Path, prefix: Path): boolean {
  return (
    prefix.length <= path.length &&
    prefix.every((part, index) => String(part) === String(path[index]))
  );
}
