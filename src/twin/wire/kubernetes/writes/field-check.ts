/**
 * Whether an object of a built-in kind has the fields and types of its kind. A type that does not fit is
 * refused; an unknown field is refused, warned of or passed over as `fieldValidation` asks, and never
 * stored (KK staging/src/k8s.io/apimachinery/pkg/runtime/serializer/json, strict decoding).
 */
import {
  type Message,
  messageOf,
  messageOfKind,
} from '../../../../knowledge/kubernetes-fields/messages.ts';
import { inRange } from '../../../../base/versions.ts';
import { badRequest } from '../api-error.ts';
import type { Resource } from '../../../api/served-resources.ts';
import { isMap, textOf, type Tree } from '../../../../base/json-tree.ts';

interface Checked {
  readonly object: Tree;
  /** `spec.template.spec.contianers[0].x`. */
  readonly unknown: readonly string[];
}

export interface FieldCheck {
  /** `Strict`, `Warn` (when null), `Ignore`. */
  readonly fieldValidation: string | null;
  readonly warn: (warning: string) => void;
  /** What is stored: fields that it has are nobody's mistake now. */
  readonly old: Tree | undefined;
  /** Of Kubernetes. */
  readonly version: string;
}

/** The release whose fields are known; a later one has fields that are not. */
const KNOWN = '<1.34.0';

/** The object with the fields of its kind and no others; throws 400. */
export function fittingObject(resource: Resource, sent: Tree, check: FieldCheck): Tree {
  const { fieldValidation, warn, old, version } = check;
  const { object, unknown } = checkFields(resource, sent);
  if (unknown.length === 0) return object;
  if (!inRange(version, KNOWN)) return sent;
  const before = new Set(old === undefined ? [] : checkFields(resource, old).unknown);
  const added = unknown.filter((path) => !before.has(path));
  for (const warning of judgeUnknown(resource, added, fieldValidation)) warn(warning);
  return before.size > 0 ? sent : object;
}

/** Fields of every object that no message lists. */
const TYPE_FIELDS = ['apiVersion', 'kind'] as const;

const GO_TYPES: Readonly<Record<string, string>> = {
  boolean: 'bool',
  bytes: '[]uint8',
  integer: 'int32',
  number: 'float64',
  string: 'string',
};

/** Throws 400 for a type that does not fit; custom kinds are taken as they are. */
function checkFields({ apiVersion, kind, definition }: Resource, sent: Tree): Checked {
  const message = definition === undefined ? messageOfKind(apiVersion, kind) : undefined;
  if (message === undefined) return { object: sent, unknown: [] };
  const checker = new Checker(
    `${kind} in version "${apiVersion.split('/').at(-1) ?? ''}" cannot be handled as a ${kind}`,
  );
  const types = Object.fromEntries(
    TYPE_FIELDS.flatMap((key) => (key in sent ? [[key, sent[key]]] : [])),
  );
  const object = checker.message(message, sent, '');
  return { object: { ...types, ...object }, unknown: checker.unknown };
}

/** What is to become of unknown fields; returns warnings. */
function judgeUnknown(
  { apiVersion, kind }: Resource,
  unknown: readonly string[],
  wanted: string | null,
): readonly string[] {
  const told = unknown.map((path) => `unknown field "${path}"`);
  if (told.length === 0 || wanted === 'Ignore') return [];
  if (wanted !== 'Strict') return told;
  const version = apiVersion.split('/').at(-1) ?? '';
  throw badRequest(
    `${kind} in version "${version}" cannot be handled as a ${kind}: strict decoding error: ${told.join(', ')}`,
  );
}

class Checker {
  readonly unknown: string[] = [];
  private readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  message(message: Message, value: Tree, path: string): Tree {
    const result: Record<string, unknown> = {};
    for (const [name, entry] of Object.entries(value)) {
      const at = path === '' ? name : `${path}.${name}`;
      const field = message.byName.get(name);
      if (field === undefined) {
        if (path !== '' || (name !== 'apiVersion' && name !== 'kind')) this.unknown.push(at);
        continue;
      }
      if (entry === null) continue;
      const { type, holding } = field;
      if (holding === 'list') result[name] = this.list(type, entry, at, message.id);
      else if (holding === 'map') result[name] = this.map(type, entry, at, message.id);
      else result[name] = this.value(type, entry, at, message.id);
    }
    return result;
  }

  private list(type: string, value: unknown, path: string, owner: string): unknown {
    if (!Array.isArray(value)) throw this.mismatch(value, path, owner, `[]${shown(type)}`);
    return value.map((item, index) => this.value(type, item, `${path}[${index}]`, owner));
  }

  private map(type: string, value: unknown, path: string, owner: string): unknown {
    if (!isMap(value)) throw this.mismatch(value, path, owner, `map[string]${shown(type)}`);
    const entries = Object.entries(value).map(([key, entry]) => [
      key,
      this.value(type, entry, `${path}.${key}`, owner),
    ]);
    return Object.fromEntries(entries);
  }

  private value(type: string, value: unknown, path: string, owner: string): unknown {
    switch (type) {
      case 'json':
      case 'strings':
        return value;
      case 'quantity':
        return typeof value === 'number' ? String(value) : this.text(value, path, owner, type);
      case 'intOrString':
        if (typeof value === 'number' || typeof value === 'string') return value;
        throw this.mismatch(value, path, owner, 'intstr.IntOrString');
      case 'string':
      case 'bytes':
      case 'time':
      case 'duration':
        return value === null ? '' : this.text(value, path, owner, type);
      case 'boolean':
        if (typeof value === 'boolean') return value;
        throw this.mismatch(value, path, owner, 'bool');
      case 'integer':
      case 'number':
        if (typeof value === 'number' && (type === 'number' || Number.isInteger(value)))
          return value;
        throw this.mismatch(value, path, owner, shown(type));
      default:
        return this.nested(type, value, path, owner);
    }
  }

  private nested(type: string, value: unknown, path: string, owner: string): unknown {
    const message = messageOf(type);
    if (message === undefined) return value;
    if (isMap(value)) return this.message(message, value, path);
    throw this.mismatch(value, path, owner, shown(type));
  }

  private text(value: unknown, path: string, owner: string, type: string): string {
    if (typeof value === 'string') return value;
    throw this.mismatch(value, path, owner, shown(type));
  }

  private mismatch(value: unknown, path: string, owner: string, wanted: string): Error {
    const struct = owner.split('/')[1] ?? owner;
    const field = path.replaceAll(/\[\d+\]/g, '');
    return badRequest(
      `${this.prefix}: json: cannot unmarshal ${jsonType(value)} into Go struct field ${struct}.${field} of type ${wanted}`,
    );
  }
}

function shown(type: string): string {
  return GO_TYPES[type] ?? type.replace(/^core\//, 'v1.').replace(/^[a-z]+\//, 'v1.');
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

/** Throws 400 where the object says that it is of another kind or version than the path. */
export function checkType({ apiVersion, kind }: Resource, sent: Tree): void {
  if (!isMap(sent)) throw badRequest('the object provided is no map');
  const told = textOf(sent['kind']);
  const version = textOf(sent['apiVersion']);
  if (told !== '' && told !== kind) {
    throw badRequest(`${told} in version "${version}" cannot be handled as a ${kind}`);
  }
  if (version !== '' && version !== apiVersion) {
    throw badRequest(
      `the API version in the data (${version}) does not match the expected API version (${apiVersion})`,
    );
  }
}
