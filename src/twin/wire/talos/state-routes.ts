/**
 * COSI's state: reading what the twin plays, and Talos's refusals. Source:
 * talos:internal/app/resources/access.go@v1.13.9, cosi-rt:pkg/state/protobuf/server/server.go@v1.10.7.
 */
import { createHash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { stringify } from 'yaml';
import {
  MachineConfigSpecSchema,
  ResourceDefinitionSpecSchema,
} from '../../../knowledge/talos-api/cosi/specs.ts';
import { EventType, State } from '../../../knowledge/talos-api/cosi/state.ts';
import { rolesForResource } from '../../../knowledge/talos-roles.ts';
import type { Apid, Call } from './apid.ts';
import type { News } from './news.ts';
import { PLAYED, type PlayedKind, yamlOfConfig } from './resource-table.ts';

/** The definitions are resources, and defined as well. */
const DEFINITIONS = {
  type: 'ResourceDefinitions.meta.cosi.dev',
  namespace: 'meta',
  display: 'ResourceDefinition',
  aliases: ['resourcedefinition', 'rd', 'rds'],
  columns: [['Aliases', '{.aliases[:]}']],
} as const;

interface Shown {
  readonly metadata: {
    readonly namespace: string;
    readonly type: string;
    readonly id: string;
    readonly version: string;
    readonly phase: string;
    readonly created: ReturnType<typeof timestampFromMs>;
    readonly updated: ReturnType<typeof timestampFromMs>;
    readonly annotations: Record<string, string>;
  };
  readonly spec: { readonly protoSpec: Uint8Array; readonly yamlSpec: string };
}

export function addStateRoutes(apid: Apid, router: ConnectRouter, news: News): void {
  const { method } = State;
  apid.unary(router, method.get, (call, { namespace, type, id }) => {
    const found = resourcesOf(apid, call, type).find((each) => each.metadata.id === id);
    if (found?.metadata.namespace === namespace) return { resource: found };
    throw new ConnectError(
      `resource ${type}(${namespace}/${id}@undefined) doesn't exist`,
      Code.NotFound,
    );
  });
  apid.stream(router, method.list, async function* (call, { namespace, type, options }) {
    refuseQueries((options?.labelQuery.length ?? 0) > 0, options?.idQuery);
    for (const resource of resourcesOf(apid, call, type)) {
      if (resource.metadata.namespace === namespace) yield { resource };
    }
  });
  apid.stream(router, method.watch, async function* (call, request) {
    const { options } = request;
    refuseQueries((options?.labelQuery.length ?? 0) > 0, options?.idQuery);
    yield* watched(apid, call, news, {
      type: request.type,
      id: request.id,
      bootstraps: options?.bootstrapContents === true,
    });
  });
  apid.unary(router, method.create, refuseWrite);
  apid.unary(router, method.update, refuseWrite);
  apid.unary(router, method.destroy, refuseWrite);
}

function refuseWrite(): never {
  throw new ConnectError('write access is not allowed', Code.PermissionDenied);
}

interface WatchRequest {
  readonly type: string;
  readonly id: string | undefined;
  readonly bootstraps: boolean;
}

interface EventShape {
  eventType: EventType;
  resource?: Shown;
  old?: Shown;
}

async function* watched(
  apid: Apid,
  call: Call,
  news: News,
  { type, id, bootstraps }: WatchRequest,
): AsyncGenerator<{ event: EventShape[] }> {
  const now = (): Map<string, Shown> => {
    const all = resourcesOf(apid, call, type);
    const wanted = id === undefined ? all : all.filter((each) => each.metadata.id === id);
    return new Map(wanted.map((each) => [each.metadata.id, each]));
  };
  let before = now();
  // Says that the watch has begun.
  yield { event: [] };
  // A watch of one begins with what it is; a watch of a kind only when it is asked to.
  if (id !== undefined || bootstraps) {
    for (const resource of before.values()) {
      yield { event: [{ eventType: EventType.CREATED, resource }] };
    }
    if (bootstraps) yield { event: [{ eventType: EventType.BOOTSTRAPPED }] };
  }
  while (!call.signal.aborted) {
    await news.next(call.signal);
    const after = now();
    for (const event of changes(before, after)) yield { event: [event] };
    before = after;
  }
}

function* changes(
  before: ReadonlyMap<string, Shown>,
  after: ReadonlyMap<string, Shown>,
): Generator<EventShape> {
  for (const [id, resource] of after) {
    const old = before.get(id);
    if (old === undefined) yield { eventType: EventType.CREATED, resource };
    else if (old.metadata.version !== resource.metadata.version) {
      yield { eventType: EventType.UPDATED, resource, old };
    }
  }
  for (const [id, resource] of before) {
    if (!after.has(id)) yield { eventType: EventType.DESTROYED, resource };
  }
}

function resourcesOf(apid: Apid, call: Call, type: string): readonly Shown[] {
  const { epochMs } = apid.world.kernel;
  if (type === DEFINITIONS.type) {
    return [DEFINITIONS, ...PLAYED].map((each) => definitionOf(each, epochMs));
  }
  const kind = PLAYED.find((each) => each.type === type);
  if (kind === undefined) {
    const text = `resource type "${type}" is not supported`;
    throw new ConnectError(text, Code.PermissionDenied);
  }
  if (!rolesForResource(type).some((role) => call.roles.includes(role))) {
    throw new ConnectError('not authorized', Code.PermissionDenied);
  }
  const version = call.talos.version();
  return [...kind.specs(apid.world, call)].map(([id, spec]) =>
    kind.text === true && typeof spec === 'string'
      ? shown(kind, id, epochMs, {
          yamlSpec: yamlOfConfig(spec, version),
          protoSpec: toBinary(
            MachineConfigSpecSchema,
            create(MachineConfigSpecSchema, { yamlMarshalled: Buffer.from(spec) }),
          ),
        })
      : shown(kind, id, epochMs, { yamlSpec: stringify(spec), protoSpec: new Uint8Array() }),
  );
}

function shown(
  { type, namespace, text }: Pick<PlayedKind, 'type' | 'namespace' | 'text'>,
  id: string,
  epochMs: number,
  spec: Shown['spec'],
): Shown {
  const at = timestampFromMs(epochMs);
  return {
    metadata: {
      namespace,
      type,
      id,
      version: versionOf(spec.yamlSpec),
      phase: 'running',
      created: at,
      updated: at,
      // Says that the YAML is one string, which it is from 1.12 on.
      annotations:
        text === true && spec.yamlSpec.startsWith('"') ? { 'talos.dev/yaml-spec': '1' } : {},
    },
    spec,
  };
}

/** COSI counts; the twin keeps no count, and another content is another version. */
function versionOf(yaml: string): string {
  return `${(createHash('sha256').update(yaml).digest().readUInt32BE() % 1_000_000) + 1}`;
}

function definitionOf(kind: Omit<PlayedKind, 'specs'>, epochMs: number): Shown {
  const { type, namespace, display, aliases, columns } = kind;
  const [name = '', ...suffix] = type.toLowerCase().split('.');
  const longer = suffix
    .slice(0, -1)
    .map((_, index) => [name, ...suffix.slice(0, index + 1)].join('.'));
  const fields = {
    displayType: display,
    defaultNamespace: namespace,
    aliases: [...aliases],
    allAliases: [name, ...longer, ...aliases],
    printColumns: columns.map(([column, jsonPath]) => ({ name: column, jsonPath })),
  };
  const schema = ResourceDefinitionSpecSchema;
  return shown(DEFINITIONS, type.toLowerCase(), epochMs, {
    yamlSpec: stringify({ type, ...fields }),
    protoSpec: toBinary(schema, create(schema, { resourceType: type, ...fields })),
  });
}

function refuseQueries(hasLabels: boolean, idQuery: object | undefined): void {
  if (!hasLabels && idQuery === undefined) return;
  throw new ConnectError('the twin answers no queries by label or id', Code.Unimplemented);
}
