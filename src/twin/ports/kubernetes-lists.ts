/** Which objects a list shows: by kind, namespace, node, labels and fields. */
import {
  fieldRequirements,
  labelRequirements,
  matchesFields,
  matchesRequirements,
  requireSelectable,
} from '../../knowledge/object-selectors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { ListOptions } from '../../ports/index.ts';
import { eventRecorderOf } from '../kubelet/event-recorder.ts';
import type { World } from '../world.ts';

export function listedObjects(
  world: World,
  kind: string,
  options: ListOptions,
): readonly KubeObject[] {
  const { namespace, nodeName, labelSelector, fieldSelector } = options;
  const all = kind === 'Event' ? eventsOf(world, options) : allOf(world, kind, namespace, nodeName);
  if (labelSelector === undefined && fieldSelector === undefined) {
    if (namespace === undefined || nodeName === undefined) return all;
  }
  return all.filter(selectorOf(kind, options));
}

/** Everything that the options ask for, as a question to one object. */
export function selectorOf(kind: string, options: ListOptions): (object: KubeObject) => boolean {
  const { namespace, nodeName } = options;
  const labels = labelRequirements(options.labelSelector);
  const fields = fieldRequirements(options.fieldSelector);
  if (nodeName !== undefined) fields.push({ path: 'spec.nodeName', equal: true, value: nodeName });
  requireSelectable(kind, fields);
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    matchesRequirements(object.metadata.labels, labels) &&
    matchesFields(object, fields);
}

function allOf(
  world: World,
  kind: string,
  namespace: string | undefined,
  nodeName: string | undefined,
): readonly KubeObject[] {
  if (kind === 'Pod' && nodeName !== undefined) return world.store.podsOn(nodeName);
  return world.store.list<string>(kind, namespace);
}

/** Kept beside the store, since they are many and nothing on the twin acts on them. */
function eventsOf(world: World, { namespace, fieldSelector }: ListOptions): readonly KubeObject[] {
  const type = typeof fieldSelector === 'object' ? fieldSelector['type'] : undefined;
  return eventRecorderOf(world).list(namespace, type);
}
