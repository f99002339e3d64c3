/** JSON Patch (RFC 6902), with the errors of the library the API server uses (evanphx/json-patch). */
import { isMap, textOf, type Tree } from '../../../base/json-tree.ts';
import { isEqual } from '../tree.ts';
import { badPatch, WriteRefusal } from './write-refusal.ts';

type Mutable = Record<string, unknown>;

export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badPatch('error decoding patch: a JSON patch is a list');
  let root: unknown = structuredClone(target);
  for (const operation of patch) {
    if (!isMap(operation)) throw badPatch('error decoding patch: an operation is a map');
    root = perform(root, operation);
  }
  return root;
}

function perform(root: unknown, operation: Tree): unknown {
  const path = pointerOf(operation['path']);
  switch (operation['op']) {
    case 'add':
      return write(root, path, operation['value'], 'add');
    case 'replace':
      read(root, path, 'replace');
      return write(root, path, operation['value'], 'replace');
    case 'remove':
      return remove(root, path);
    case 'move': {
      const from = pointerOf(operation['from']);
      const value = read(root, from, 'move');
      return write(remove(root, from), path, value, 'add');
    }
    case 'copy': {
      const value = read(root, pointerOf(operation['from']), 'copy');
      return write(root, path, structuredClone(value), 'add');
    }
    case 'test': {
      const found = lookUp(root, path);
      if (isEqual(found, operation['value'])) return root;
      throw failed(`testing value ${textOf(operation['path'])} failed: test failed`);
    }
    default:
      throw badPatch(`Unexpected kind: ${JSON.stringify(operation['op'])}`);
  }
}

function pointerOf(pointer: unknown): readonly string[] {
  const text = textOf(pointer);
  if (text === '') return [];
  if (!text.startsWith('/')) throw badPatch(`error decoding patch: invalid path "${text}"`);
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function lookUp(root: unknown, path: readonly string[]): unknown {
  let value: unknown = root;
  for (const token of path) {
    if (Array.isArray(value)) value = value[indexOf(token)];
    else if (isMap(value)) value = Object.hasOwn(value, token) ? value[token] : undefined;
    else return undefined;
  }
  return value;
}

/** NaN for what is none: nothing is there. */
function indexOf(token: string): number {
  return /^\d+$/.test(token) ? Number(token) : Number.NaN;
}

function read(root: unknown, path: readonly string[], what: string): unknown {
  const value = lookUp(root, path);
  if (value !== undefined) return value;
  throw failed(
    `${what} operation does not apply: doc is missing key: /${path.join('/')}: missing value`,
  );
}

function write(
  root: unknown,
  path: readonly string[],
  value: unknown,
  how: 'add' | 'replace',
): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = parentOf(root, path);
  if (!Array.isArray(parent)) {
    parent[last] = value;
    return root;
  }
  const index = last === '-' ? parent.length : indexOf(last);
  if (Number.isNaN(index) || index > parent.length)
    throw failed(`${how} operation does not apply: index ${last}: invalid index referenced`);
  parent.splice(index, how === 'add' ? 0 : 1, value);
  return root;
}

function remove(root: unknown, path: readonly string[]): unknown {
  read(root, path, 'remove');
  const last = path.at(-1) ?? '';
  const parent = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(indexOf(last), 1);
  else delete parent[last];
  return root;
}

function parentOf(root: unknown, path: readonly string[]): Mutable | unknown[] {
  const parent = lookUp(root, path.slice(0, -1));
  if (Array.isArray(parent)) return parent;
  if (isMap(parent)) return parent as Mutable; // a clone of our own
  throw failed(
    `add operation does not apply: doc is missing path: "/${path.join('/')}": missing value`,
  );
}

/** The document is not as the patch takes it to be. */
function failed(detail: string): WriteRefusal {
  return new WriteRefusal(
    { code: 422, reason: 'Invalid' },
    `the server rejected our request due to an error in our request: ${detail}`,
  );
}
