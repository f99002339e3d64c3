/**
 * An object as a version of the API shows it: under the version asked for, with the fields of status
 * that clients wait for and that the twin does not keep, worked out from those it keeps.
 */
import type { KubeObject } from '../../../../../model/kubernetes.ts';
import type { World } from '../../../../world.ts';
import type { Resource } from '../../../../api/served-resources.ts';
import { mapOf, type Tree } from '../../../../../base/json-tree.ts';
import { statusShown } from './workload-status.ts';

export function asShown(resource: Resource, object: KubeObject, world: World): KubeObject {
  const { apiVersion, kind } = resource;
  const status = statusShown(object);
  const shown: KubeObject = {
    ...object,
    apiVersion,
    kind,
    ...(status === undefined ? {} : { status }),
    metadata: resourceVersionOf(object, world),
  };
  const isEventsApi = resource.group === 'events.k8s.io' && kind === 'Event';
  return isEventsApi ? asNewEvent(shown) : shown;
}

/** What is kept beside the store has no version of its own. */
function resourceVersionOf({ metadata }: KubeObject, world: World): KubeObject['metadata'] {
  if (metadata.resourceVersion !== undefined) return metadata;
  return { ...metadata, resourceVersion: String(world.store.resourceVersion) };
}

/** KK pkg/apis/events/v1/conversion.go. */
function asNewEvent(event: KubeObject): KubeObject {
  const { involvedObject, message, source, count, firstTimestamp, lastTimestamp, ...rest } =
    mapOf(event);
  const { apiVersion, kind, metadata } = event;
  const shown: KubeObject & Tree = {
    ...rest,
    apiVersion,
    kind,
    metadata,
    regarding: involvedObject,
    note: message,
    deprecatedSource: source,
    deprecatedCount: count,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    eventTime: null,
  };
  return shown;
}
