/**
 * Namespaces of a served twin: those that objects live in exist, and one that is deleted takes what is
 * in it along and goes when the last of it is gone (KK pkg/controller/namespace).
 */
import type { KubeObject } from '../../../../model/kubernetes.ts';
import type { World } from '../../../world.ts';
import type { Resource } from '../../../api/served-resources.ts';
import type { ObjectStore } from '../../../store/object-store.ts';

/** Holds the namespace until it is empty; `spec.finalizers` to clients. */
const NAMESPACE_FINALIZER = 'kubernetes';

const ALWAYS = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

export function ensureNamespaces(store: ObjectStore, resources: readonly Resource[]): void {
  const names = new Set(ALWAYS);
  for (const { storedKind, namespaced } of resources) {
    if (!namespaced) continue;
    for (const { metadata } of store.list<string>(storedKind))
      if (metadata.namespace !== undefined) names.add(metadata.namespace);
  }
  for (const name of names) {
    if (store.get<string>('Namespace', undefined, name) !== undefined) continue;
    store.create<NamespaceObject>(namespaceOf(name));
  }
}

interface NamespaceObject extends KubeObject {
  readonly kind: 'Namespace';
  readonly spec: { readonly finalizers: readonly string[] };
  readonly status: { readonly phase: 'Active' };
}

function namespaceOf(name: string): NamespaceObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    spec: { finalizers: [NAMESPACE_FINALIZER] },
    status: { phase: 'Active' },
  };
}

/** Marks it as going, and deletes what is in it; it goes once that is gone. */
export function terminateNamespace(
  { store, kernel, constants }: World,
  name: string,
  resources: () => readonly Resource[],
): void {
  store.update<string>('Namespace', undefined, name, (old) => ({
    ...old,
    metadata: {
      ...old.metadata,
      deletionTimestamp: store.timestamp(),
      finalizers: [...(old.metadata.finalizers ?? []), NAMESPACE_FINALIZER],
    },
    status: { phase: 'Terminating' },
  }));
  const look = (): void => {
    let left = 0;
    for (const { storedKind, namespaced, group } of resources()) {
      if (!namespaced || group === 'events.k8s.io') continue;
      for (const { metadata } of store.list<string>(storedKind, name)) {
        if (metadata.deletionTimestamp === undefined) store.delete(storedKind, name, metadata.name);
      }
      left += store.list<string>(storedKind, name).length;
    }
    if (left > 0) kernel.after(1_000, look);
    else
      store.update<string>('Namespace', undefined, name, (old) => ({
        ...old,
        metadata: {
          ...old.metadata,
          finalizers: (old.metadata.finalizers ?? []).filter(
            (each) => each !== NAMESPACE_FINALIZER,
          ),
        },
      }));
  };
  kernel.after(constants.controllerSyncMs, look);
}
