/**
 * Talos as a reconciler of its own manifests. A control plane creates what is missing and never
 * updates or deletes; from 1.13 an inventory is asked instead of the cluster, so what is listed
 * there is not created again (knowledge talos-and-cni-selection.md 4.5). Only `upgrade-k8s` prunes.
 */
import { atLeast } from '../../base/versions.ts';
import type { ConfigMapObject, KubeObject } from '../../model/kubernetes.ts';
import type { World } from '../world.ts';

const INVENTORY = 'talos-bootstrap-manifests-inventory';

/** `<ns>_<name>_<group>_<Kind>`, `:` written as `__`. */
function inventoryKey(object: KubeObject): string {
  const group = object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : '';
  const { namespace = '', name } = object.metadata;
  return `${namespace}_${name}_${group}_${object.kind}`.replaceAll(':', '__');
}

/** One run of the controller on a control plane; runs at boot and after each config change. */
export function createMissingManifests(
  world: World,
  node: string,
  talosVersion: string,
  rendered: readonly KubeObject[],
): void {
  if (!world.api.healthy()) return;
  const keepsInventory = atLeast(talosVersion, '1.13.0');
  const listed = keepsInventory ? inventoryOf(world) : undefined;
  for (const object of rendered) {
    if (listed?.has(inventoryKey(object)) === true) continue;
    if (exists(world, object)) continue;
    const { kernel } = world;
    kernel.because(kernel.causes, () => {
      kernel.occur('talos.manifests-created', {
        node,
        subject: reference(object),
        message: `${node} created ${object.kind} ${object.metadata.name}, which its config renders and the cluster did not have`,
      });
      world.store.create(keepsInventory ? owned(object) : object);
    });
  }
  if (keepsInventory)
    writeInventory(world, new Set([...(listed ?? []), ...rendered.map(inventoryKey)]));
}

/** From 1.13 on a cluster has had its inventory since its first boot; where none was read, it is this. */
export function backfillInventory(world: World, rendered: readonly KubeObject[]): void {
  if (world.store.get('ConfigMap', 'kube-system', INVENTORY) !== undefined) return;
  const present = rendered.filter((object) => exists(world, object));
  writeInventory(world, new Set(present.map(inventoryKey)));
}

/**
 * `talosctl upgrade-k8s`: brings the objects to what is rendered now; from 1.13 deletes inventory
 * objects that are rendered no more (flannel after `cni: none`, kube-proxy when disabled).
 */
export function syncManifests(
  world: World,
  rendered: readonly KubeObject[],
  prunes: boolean,
): void {
  for (const object of rendered) applyManifest(world, object);
  if (!prunes) return;
  const keys = new Set(rendered.map(inventoryKey));
  const pruned = [...inventoryOf(world)].filter((key) => !keys.has(key));
  for (const key of pruned) pruneObject(world, key);
  writeInventory(world, keys);
}

function applyManifest(world: World, object: KubeObject): void {
  const { namespace, name } = object.metadata;
  const live: KubeObject | undefined = world.store.get(object.kind, namespace, name);
  if (live === undefined) {
    world.store.create(object);
    return;
  }
  world.store.update<string>(object.kind, namespace, name, (old) => ({
    ...old,
    ...object,
    metadata: { ...old.metadata, labels: { ...old.metadata.labels, ...object.metadata.labels } },
  }));
}

function pruneObject(world: World, key: string): void {
  const kind = key.slice(key.lastIndexOf('_') + 1);
  const object = world.store.list<string>(kind).find((live) => inventoryKey(live) === key);
  if (object === undefined) return;
  const { kernel } = world;
  kernel.because(kernel.causes, () => {
    kernel.occur('talos.manifests-pruned', {
      subject: reference(object),
      message: `upgrade-k8s deleted ${kind} ${object.metadata.name}: it is in the inventory and rendered no more`,
    });
    world.store.delete(kind, object.metadata.namespace, object.metadata.name);
  });
}

function inventoryOf(world: World): ReadonlySet<string> {
  const map = world.store.get('ConfigMap', 'kube-system', INVENTORY);
  return new Set(Object.keys(map?.data ?? {}));
}

function writeInventory(world: World, keys: ReadonlySet<string>): void {
  const data = Object.fromEntries([...keys].toSorted().map((key) => [key, '']));
  const object: ConfigMapObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: INVENTORY, namespace: 'kube-system' },
    data,
  };
  if (world.store.get('ConfigMap', 'kube-system', INVENTORY) === undefined) {
    world.store.create(object);
    return;
  }
  world.store.update('ConfigMap', 'kube-system', INVENTORY, (old) => ({ ...old, data }));
}

function exists(world: World, object: KubeObject): boolean {
  return (
    world.store.get(object.kind, object.metadata.namespace, object.metadata.name) !== undefined
  );
}

function owned(object: KubeObject): KubeObject {
  const annotations = {
    ...object.metadata.annotations,
    'config.k8s.io/owning-inventory': 'talos-bootstrap-manifests-inventory',
  };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function reference(object: KubeObject): { kind: string; namespace?: string; name: string } {
  const { namespace, name } = object.metadata;
  return { kind: object.kind, name, ...(namespace === undefined ? {} : { namespace }) };
}
