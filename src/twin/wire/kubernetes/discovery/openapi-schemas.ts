/** Schemas of built-in kinds for `kubectl explain`: their fields and types, without descriptions. */
import {
  type MessageField,
  messageOf,
  messageOfKind,
} from '../../../../knowledge/kubernetes-fields/messages.ts';
import type { Resource } from '../../../api/served-resources.ts';
import type { Tree } from '../../../../base/json-tree.ts';

type Named = Pick<Resource, 'apiVersion' | 'group' | 'version' | 'kind'>;

export function schemaNameOf({ group, version, kind }: Named): string {
  const reversed = group === '' ? 'io.k8s.core' : group.split('.').toReversed().join('.');
  return `${reversed}.${version}.${kind}`;
}

/** Properties of the kind; undefined for one whose fields are not known. */
export function propertiesOfKind({ apiVersion, kind }: Named): Tree | undefined {
  const message = messageOfKind(apiVersion, kind);
  return message === undefined ? undefined : propertiesOf(message.byName);
}

/** All messages that the kinds' schemas refer to, by their names in references. */
export function referredSchemas(resources: readonly Named[]): Tree {
  const schemas: Record<string, Tree> = {};
  const waiting = resources.flatMap(({ apiVersion, kind }) =>
    typesIn(messageOfKind(apiVersion, kind)?.byName),
  );
  waiting.push('meta/ObjectMeta');
  for (let type = waiting.pop(); type !== undefined; type = waiting.pop()) {
    const name = referenceName(type);
    const message = messageOf(type);
    if (message === undefined || name in schemas) continue;
    schemas[name] = { type: 'object', properties: propertiesOf(message.byName) };
    waiting.push(...typesIn(message.byName));
  }
  return schemas;
}

function typesIn(fields: ReadonlyMap<string, MessageField> = new Map()): string[] {
  return [...fields.values()].map(({ type }) => type).filter((type) => type.includes('/'));
}

function propertiesOf(fields: ReadonlyMap<string, MessageField>): Tree {
  return Object.fromEntries([...fields].map(([name, field]) => [name, propertyOf(field)]));
}

function propertyOf({ type, holding }: MessageField): Tree {
  const schema = typeOf(type);
  if (holding === 'list') return { type: 'array', items: schema };
  if (holding === 'map') return { type: 'object', additionalProperties: schema };
  return schema;
}

function typeOf(type: string): Tree {
  switch (type) {
    case 'boolean':
    case 'integer':
    case 'number':
    case 'string':
      return { type };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'time':
      return { type: 'string', format: 'date-time' };
    case 'intOrString':
      return { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
    case 'quantity':
    case 'duration':
      return { type: 'string' };
    case 'strings':
      return { type: 'array', items: { type: 'string' } };
    case 'json':
      return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    default:
      return { allOf: [{ $ref: `#/components/schemas/${referenceName(type)}` }] };
  }
}

/** `core/PodSpec` as a name that stands in a path. */
function referenceName(type: string): string {
  return type.replace('/', '.');
}
