/** COSI's state of a node: resources read by type, one or all, now or as they change. */
import { fromBinary } from '@bufbuild/protobuf';
import { parse } from 'yaml';
import { RegaugeError } from '../../base/errors.ts';
import { State, EventType, type ListResponse } from '../../knowledge/talos-api/cosi/state.ts';
import type { Resource } from '../../knowledge/talos-api/cosi/resource.ts';
import { MachineConfigSpecSchema } from '../../knowledge/talos-api/cosi/specs.ts';
import { rolesForResource } from '../../knowledge/talos-roles.ts';
import type { ResourceKind } from '../../knowledge/talos-resources.ts';
import type { Collector, TalosChannel } from './talos-channel.ts';

export interface TalosResource {
  readonly type: string;
  readonly id: string;
  readonly version: string;
  readonly phase: string;
  /** The spec as plain data, from its YAML. */
  spec(): unknown;
  /** The spec as its own message's bytes; empty where the server sent none. */
  readonly encoded: Uint8Array;
  readonly yaml: string;
}

export interface ResourceEvent {
  readonly kind: 'there' | 'changed' | 'gone' | 'caught-up';
  /** Undefined when caught up. */
  readonly resource: TalosResource | undefined;
}

const LIST_MS = 30_000;
const IDLE_MS = 15_000;

/** Undefined when there is none of that id. */
export async function getResource(
  channel: TalosChannel,
  node: string,
  kind: ResourceKind & { readonly id: string },
): Promise<TalosResource | undefined> {
  const { type, namespace, id } = kind;
  const call = {
    node,
    what: `read ${nameOf(type)} ${id} of ${node}`,
    isRead: true,
    rolesNeeded: rolesForResource(type),
  };
  try {
    const answer = await channel.unary(State.method.get, { type, namespace, id }, call);
    return answer.resource === undefined ? undefined : resourceOf(answer.resource);
  } catch (error) {
    if (error instanceof RegaugeError && error.code === 'not-found') return absent(error);
    throw error;
  }
}

export function listResources(
  channel: TalosChannel,
  node: string | undefined,
  { type, namespace }: ResourceKind,
): Promise<readonly TalosResource[]> {
  const call = {
    node,
    what: `list ${nameOf(type)} of ${node ?? 'the cluster'}`,
    isRead: true,
    deadlineMs: LIST_MS,
    idleMs: IDLE_MS,
    rolesNeeded: rolesForResource(type),
  };
  return channel.collect(State.method.list, { type, namespace }, call, () => new Resources());
}

class Resources implements Collector<ListResponse, readonly TalosResource[]> {
  private readonly found: TalosResource[] = [];

  take({ resource }: ListResponse): void {
    if (resource !== undefined) this.found.push(resourceOf(resource));
  }

  done(): readonly TalosResource[] {
    return this.found;
  }
}

/** What is there, then every change; ends with the signal, or by an error when the connection does. */
export async function* watchResources(
  channel: TalosChannel,
  node: string,
  { type, namespace, id }: ResourceKind,
  signal?: AbortSignal,
): AsyncGenerator<ResourceEvent> {
  const what = `watch ${nameOf(type)} of ${node}`;
  const request = {
    type,
    namespace,
    ...(id === undefined ? { options: { bootstrapContents: true } } : { id }),
    apiVersion: 1,
  };
  const call = { node, what, isRead: true, signal, rolesNeeded: rolesForResource(type) };
  for await (const { event: events } of channel.follow(State.method.watch, request, call)) {
    for (const event of events) {
      if (event.eventType === EventType.ERRORED) {
        throw new RegaugeError('unreachable', `cannot ${what}: ${event.error ?? 'it broke'}`);
      }
      const kind = EVENT_KINDS[event.eventType];
      if (kind === undefined) continue;
      const resource = event.resource === undefined ? undefined : resourceOf(event.resource);
      yield { kind, resource: kind === 'caught-up' ? undefined : resource };
    }
  }
}

const EVENT_KINDS: Readonly<Partial<Record<EventType, ResourceEvent['kind']>>> = {
  [EventType.CREATED]: 'there',
  [EventType.UPDATED]: 'changed',
  [EventType.DESTROYED]: 'gone',
  [EventType.BOOTSTRAPPED]: 'caught-up',
};

/** The text of a MachineConfig: its message rather than its YAML, which has had two forms. */
export function configTextOf(resource: TalosResource): string {
  if (resource.encoded.length > 0) {
    const { yamlMarshalled } = fromBinary(MachineConfigSpecSchema, resource.encoded);
    if (yamlMarshalled.length > 0) return Buffer.from(yamlMarshalled).toString('utf8');
  }
  // From 1.12 a string, which holds all documents; before, the main document itself.
  const spec = resource.spec();
  return typeof spec === 'string' ? spec : resource.yaml;
}

function resourceOf({ metadata, spec }: Resource): TalosResource {
  const yaml = spec?.yamlSpec ?? '';
  return {
    type: metadata?.type ?? '',
    id: metadata?.id ?? '',
    version: metadata?.version ?? '',
    phase: metadata?.phase ?? '',
    encoded: spec?.protoSpec ?? new Uint8Array(),
    yaml,
    spec: () => parse(yaml, { maxAliasCount: 100 }) as unknown,
  };
}

/** `Members` of `Members.cluster.talos.dev`. */
function nameOf(type: string): string {
  return type.split('.')[0] ?? type;
}

/** The node itself may be what was not found. */
function absent(error: RegaugeError): undefined {
  if (/knows no node/.test(error.message)) throw error;
  return undefined;
}
