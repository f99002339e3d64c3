/** The Kubernetes API on the twin, as a client sees it. */
import type { KubeObject } from '../../model/kubernetes.ts';
import type { KubernetesPort, ListOptions, ObjectAddress } from '../../ports/index.ts';
import type { World } from '../world.ts';
import { apiCall } from './calls.ts';
import { createContainerPort } from './containers/kubernetes-containers.ts';
import { listedObjects } from './kubernetes-lists.ts';
import { createKubernetesReads } from './kubernetes-reads.ts';
import { createKubernetesWrites, type EvictPod } from './kubernetes-writes.ts';

export function createKubernetesPort(world: World, evict: EvictPod): KubernetesPort {
  return {
    ...createKubernetesReads(world),
    ...createKubernetesWrites(world, evict),
    ...createContainerPort(world),
    // The caller names the shape it expects of the kind, as with any typed client.
    get: <T extends KubeObject>({ kind, namespace, name }: ObjectAddress) =>
      apiCall(world, () => world.store.get(kind, namespace, name) as T | undefined),
    list: <T extends KubeObject>(_apiVersion: string, kind: string, options: ListOptions = {}) =>
      apiCall(world, () => listedObjects(world, kind, options) as readonly T[]),
  };
}
