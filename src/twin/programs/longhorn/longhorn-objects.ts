/** Longhorn's resources as far as its controllers here read and write them (failure-domains.md 2.5). */
import type { KubeObject, PodObject } from '../../../model/kubernetes.ts';
import { isReady } from '../../network/service-table.ts';
import type { World } from '../../world.ts';

export const LONGHORN_NAMESPACE = 'longhorn-system';
export const LONGHORN_DRIVER = 'driver.longhorn.io';
export const COMPONENT_LABEL = 'longhorn.io/component';

export interface LonghornVolume extends KubeObject {
  readonly spec?: { readonly numberOfReplicas?: number };
  readonly status?: {
    readonly state?: string;
    readonly robustness?: string;
    readonly currentNodeID?: string;
  };
}

export interface LonghornReplica extends KubeObject {
  readonly spec?: {
    readonly nodeID?: string;
    readonly volumeName?: string;
    readonly failedAt?: string;
  };
}

interface LonghornSetting extends KubeObject {
  readonly value?: string;
}

/** Objects of other groups are plain in the store; these are Longhorn's own shapes of them. */
export function volumeNamed(world: World, name: string): LonghornVolume | undefined {
  return world.store.get<string>('Volume', LONGHORN_NAMESPACE, name);
}

export function volumes(world: World): readonly LonghornVolume[] {
  return world.store.list<string>('Volume', LONGHORN_NAMESPACE);
}

export function replicas(world: World): readonly LonghornReplica[] {
  return world.store.list<string>('Replica', LONGHORN_NAMESPACE);
}

export function setting(world: World, name: string): string | undefined {
  const object: LonghornSetting | undefined = world.store.get<string>(
    'Setting',
    LONGHORN_NAMESPACE,
    name,
  );
  return object?.value;
}

export function updateVolumeStatus(
  world: World,
  name: string,
  status: NonNullable<LonghornVolume['status']>,
): void {
  world.store.update<string>('Volume', LONGHORN_NAMESPACE, name, (object) => {
    const volume: LonghornVolume = object;
    const old = volume.status;
    const same = Object.entries(status).every(([key, value]) =>
      Object.entries(old ?? {}).some(([k, v]) => k === key && v === value),
    );
    if (same) return object;
    const next: LonghornVolume = { ...volume, status: { ...old, ...status } };
    return next;
  });
}

/** The pod that hosts the engines and replicas of a node, whatever its state. */
export function instanceManagerOn(world: World, node: string): PodObject | undefined {
  return world.store
    .podsOn(node)
    .find((pod) => pod.metadata.labels?.[COMPONENT_LABEL] === 'instance-manager');
}

/** Ready and of this network life: its processes run. */
export function runningInstanceManager(world: World, node: string): PodObject | undefined {
  const pod = instanceManagerOn(world, node);
  if (pod === undefined || !isReady(pod) || pod.metadata.deletionTimestamp !== undefined)
    return undefined;
  return world.nodes.get(node)?.machine.up === true ? pod : undefined;
}
