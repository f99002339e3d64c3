/**
 * Engines and replicas: an engine lives in the instance manager of the node that has the volume, and
 * holds a replica as long as it reaches that replica's instance manager; after 8 s without, the
 * replica has failed (engine-replica-timeout), and one that is back is rebuilt. One of these per
 * world: the data plane is nobody's process.
 */
import type { World } from '../../world.ts';
import { fabricOf } from '../../network/fabric.ts';
import type { Timer } from '../../kernel/kernel.ts';
import { hubOf } from '../hub.ts';
import {
  LONGHORN_NAMESPACE,
  replicas,
  runningInstanceManager,
  updateVolumeStatus,
  volumeNamed,
  volumes,
} from './longhorn-objects.ts';

type Robustness = 'unknown' | 'faulted' | 'degraded' | 'healthy';

class VolumeHealth {
  private readonly world: World;
  private readonly holders = new Map<string, Set<string>>();
  private readonly byNode = new Map<string, Set<string>>();
  private readonly pending = new Set<string>();
  private readonly rebuilds = new Map<string, Timer>();
  private readonly listeners = new Map<string, Set<() => void>>();

  constructor(world: World) {
    this.world = world;
    for (const replica of replicas(world)) {
      const { volumeName, nodeID } = replica.spec ?? {};
      if (volumeName !== undefined && nodeID !== undefined) this.place(volumeName, nodeID);
    }
    for (const volume of volumes(world)) {
      const node = volume.status?.currentNodeID;
      if (node !== undefined && node !== '') this.concern(node, volume.metadata.name);
    }
    const hub = hubOf(world);
    hub.follow('Pod', { label: 'longhorn.io/component=instance-manager' }, ({ object }) => {
      if (object.spec.nodeName !== undefined) this.nodeChanged(object.spec.nodeName);
    });
    if (this.byNode.size === 0) return;
    fabricOf(world).onPathChange((node, podUid) => {
      if (podUid === undefined) this.nodeChanged(node);
    });
  }

  /** Called after a volume that concerns the node was attached, detached, or changed in health. */
  followNode(node: string, listener: () => void): () => void {
    let listeners = this.listeners.get(node);
    if (listeners === undefined) this.listeners.set(node, (listeners = new Set()));
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  replicaNodes(volume: string): readonly string[] {
    return [...(this.holders.get(volume) ?? [])];
  }

  volumesOn(node: string): readonly string[] {
    return [...(this.byNode.get(node) ?? [])];
  }

  attached(name: string, node: string): void {
    const before = volumeNamed(this.world, name)?.status?.currentNodeID;
    this.concern(node, name);
    // An engine that starts with all of its replicas has nothing to rebuild.
    const whole = this.reachableReplicas(name, node) === this.replicaNodes(name).length;
    const status = { state: 'attached', currentNodeID: node };
    updateVolumeStatus(this.world, name, whole ? { ...status, robustness: 'healthy' } : status);
    this.evaluate(name);
    this.announce(name, node);
    // An engine that was cut off is gone from its node too, though nobody saw it detach.
    if (before !== undefined && before !== '' && before !== node) this.announce(name, before);
  }

  detached(name: string): void {
    const node = volumeNamed(this.world, name)?.status?.currentNodeID;
    updateVolumeStatus(this.world, name, {
      state: 'detached',
      robustness: 'unknown',
      currentNodeID: '',
    });
    this.announce(name, node);
  }

  /** Replicas the engine on the node would reach now. */
  reachableReplicas(name: string, node: string): number {
    const engine = runningInstanceManager(this.world, node);
    if (engine === undefined) return 0;
    return this.replicaNodes(name).filter((holder) => {
      const replica = runningInstanceManager(this.world, holder);
      if (replica === undefined) return false;
      return this.world.fabric.reach({ kind: 'pod', pod: engine }, { kind: 'pod', pod: replica })
        .ok;
    }).length;
  }

  private announce(name: string, engineNode: string | undefined): void {
    const nodes = new Set(this.holders.get(name));
    if (engineNode !== undefined) nodes.add(engineNode);
    for (const node of nodes) for (const listener of this.listeners.get(node) ?? []) listener();
  }

  private place(volume: string, node: string): void {
    let nodes = this.holders.get(volume);
    if (nodes === undefined) this.holders.set(volume, (nodes = new Set()));
    nodes.add(node);
    this.concern(node, volume);
  }

  private concern(node: string, volume: string): void {
    let names = this.byNode.get(node);
    if (names === undefined) this.byNode.set(node, (names = new Set()));
    names.add(volume);
  }

  private nodeChanged(node: string): void {
    if (this.pending.has(node) || !this.byNode.has(node)) return;
    this.pending.add(node);
    this.world.kernel.after(this.world.constants.longhornReplicaTimeoutMs, () => {
      this.pending.delete(node);
      for (const volume of this.byNode.get(node) ?? []) this.evaluate(volume);
    });
  }

  private evaluate(name: string): void {
    const status = volumeNamed(this.world, name)?.status;
    const node = status?.currentNodeID;
    if (status?.state !== 'attached' || node === undefined || node === '') return;
    const wanted = this.replicaNodes(name).length;
    const held = this.reachableReplicas(name, node);
    const robustness: Robustness =
      runningInstanceManager(this.world, node) === undefined
        ? 'unknown'
        : held === 0 && wanted > 0
          ? 'faulted'
          : held < wanted
            ? 'degraded'
            : 'healthy';
    this.settle(name, status.robustness ?? 'healthy', robustness);
  }

  private settle(name: string, old: string, robustness: Robustness): void {
    if (robustness !== 'healthy') {
      this.rebuilds.get(name)?.cancel();
      this.rebuilds.delete(name);
      this.write(name, old, robustness);
      return;
    }
    if (old === 'healthy' || this.rebuilds.has(name)) return;
    this.write(name, old, 'degraded');
    this.rebuilds.set(
      name,
      this.world.kernel.after(this.world.constants.longhornRebuildMs, () => {
        this.rebuilds.delete(name);
        this.write(name, 'degraded', 'healthy');
      }),
    );
  }

  private write(name: string, old: string, robustness: Robustness): void {
    if (old === robustness) return;
    this.world.kernel.because(this.world.kernel.causes, () => {
      this.world.kernel.occur(`longhorn.volume-${robustness}`, {
        subject: { kind: 'Volume', namespace: LONGHORN_NAMESPACE, name },
        message: `volume ${name} is ${robustness}`,
      });
      updateVolumeStatus(this.world, name, { robustness });
    });
    this.announce(name, volumeNamed(this.world, name)?.status?.currentNodeID);
  }
}

const healths = new WeakMap<World, VolumeHealth>();

export function volumeHealthOf(world: World): VolumeHealth {
  let health = healths.get(world);
  if (health === undefined) healths.set(world, (health = new VolumeHealth(world)));
  return health;
}
