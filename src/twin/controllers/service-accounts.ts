/**
 * The service account controller: every namespace has a `default` account, and a deleted one comes
 * back under a new UID. Accounts that running pods name but that were not read are put in place.
 */
import type { KubeObject } from '../../model/kubernetes.ts';
import type { World } from '../world.ts';

export function startServiceAccountController(world: World): void {
  const { store, kernel, constants } = world;
  for (const pod of store.list('Pod')) {
    const namespace = pod.metadata.namespace ?? 'default';
    ensure(world, namespace, 'default');
    if (pod.spec.serviceAccountName !== undefined)
      ensure(world, namespace, pod.spec.serviceAccountName);
  }
  for (const { metadata } of store.list('Namespace')) ensure(world, metadata.name, 'default');
  const namespaces = new Set(
    store.list('ServiceAccount').map(({ metadata }) => metadata.namespace),
  );
  store.watch('Namespace', ({ type, object }) => {
    if (type === 'added') ensure(world, object.metadata.name, 'default');
  });
  // A namespace nobody declared exists as soon as something is made in it.
  for (const kind of ['DaemonSet', 'Deployment', 'StatefulSet', 'Job'] as const) {
    for (const object of store.list(kind)) see(world, namespaces, object);
    store.watch<string>(kind, ({ type, object }) => {
      if (type === 'added') see(world, namespaces, object);
    });
  }
  store.watch('ServiceAccount', ({ type, object }) => {
    const { namespace = 'default', name } = object.metadata;
    if (type !== 'deleted' || name !== 'default') return;
    kernel.after(constants.controllerSyncMs, () => ensure(world, namespace, name));
  });
}

function see(world: World, namespaces: Set<string | undefined>, { metadata }: KubeObject): void {
  const namespace = metadata.namespace ?? 'default';
  if (namespaces.has(namespace)) return;
  namespaces.add(namespace);
  ensure(world, namespace, 'default');
}

function ensure(world: World, namespace: string, name: string): void {
  if (world.store.get('ServiceAccount', namespace, name) !== undefined) return;
  world.store.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
}
