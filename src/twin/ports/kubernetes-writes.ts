/** Writes of whole objects on the twin: a new one, and one in place of another. */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { KubernetesWrites } from '../../ports/index.ts';
import type { World } from '../world.ts';
import { apiWrite, type Write } from './calls.ts';

export function createKubernetesWrites(world: World): Pick<KubernetesWrites, 'create' | 'replace'> {
  return {
    create: <T extends KubeObject>(object: T) =>
      apiWrite(
        world,
        () => writeOf(object, 'CREATE'),
        () => created(world, object),
      ),
    replace: <T extends KubeObject>(object: T) =>
      apiWrite(
        world,
        () => writeOf(object, 'UPDATE'),
        () => replaced(world, object),
      ),
  };
}

function writeOf(object: KubeObject, operation: Write['operation']): Write {
  const { namespace, labels } = object.metadata;
  return { operation, kind: object.kind, namespace, labels };
}

function created<T extends KubeObject>({ store }: World, object: T): T {
  const { namespace, name } = object.metadata;
  if (store.get<string>(object.kind, namespace, name) !== undefined) {
    throw new RegaugeError('conflict', `${object.kind} "${name}" already exists`);
  }
  return store.create(object);
}

function replaced<T extends KubeObject>({ store }: World, object: T): T {
  const { namespace, name, resourceVersion } = object.metadata;
  const stored = store.update<string>(object.kind, namespace, name, (live) => {
    if (resourceVersion !== undefined && resourceVersion !== live.metadata.resourceVersion) {
      const message = `Operation cannot be fulfilled on ${object.kind} "${name}": the object has been modified; please apply your changes to the latest version and try again`;
      throw new RegaugeError('conflict', message);
    }
    return { ...object, metadata: { ...object.metadata, uid: live.metadata.uid ?? '' } };
  });
  if (stored === undefined)
    throw new RegaugeError('not-found', `${object.kind} "${name}" not found`);
  return stored as T; // the kind is the one that was given
}
