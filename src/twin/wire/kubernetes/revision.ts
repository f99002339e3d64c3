/**
 * The revision that a real Deployment is annotated with by its controller; `kubectl rollout undo`
 * replaces the annotations, and a JSON patch replaces only what is there.
 */
import { controllerOf } from '../../../model/kubernetes.ts';
import type { World } from '../../world.ts';
import { mapOf, textOf, type Tree, valueAt } from '../../../base/json-tree.ts';

const REVISION = 'deployment.kubernetes.io/revision';

/** Any other object as it is. */
export function withRevision({ store }: Pick<World, 'store'>, object: Tree): Tree {
  const metadata = mapOf(object['metadata']);
  if (object['kind'] !== 'Deployment') return object;
  if (valueAt(metadata, 'annotations', REVISION) !== undefined) return object;
  const revisions = store
    .list('ReplicaSet', textOf(metadata['namespace']))
    .filter((set) => controllerOf(set)?.uid === metadata['uid'])
    .map((set) => Number(set.metadata.annotations?.[REVISION] ?? 1));
  const annotations = {
    ...mapOf(metadata['annotations']),
    [REVISION]: String(Math.max(1, ...revisions)),
  };
  return { ...object, metadata: { ...metadata, annotations } };
}
