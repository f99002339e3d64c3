/**
 * How fast nodes are tainted for eviction: 0.1 node a second; in a zone where 55 % and at least
 * three are not ready 0.01, or not at all in a small cluster; nothing when all zones are down
 * (KK node_lifecycle_controller.go handleDisruption).
 */
import type { Timer } from '../kernel/kernel.ts';
import type { World } from '../world.ts';

interface Zone {
  readonly nodes: Set<string>;
  readonly unready: Set<string>;
  readonly waiting: Set<string>;
  lastAt: number;
  timer: Timer | undefined;
}

export class TaintRate {
  private readonly world: World;
  private readonly taint: (node: string) => void;
  private readonly zones = new Map<string, Zone>();
  private readonly zoneOf = new Map<string, Zone>();
  private fullyDown = false;

  constructor(world: World, taint: (node: string) => void) {
    this.world = world;
    this.taint = taint;
  }

  /** What is known of a node now. */
  set(node: string, zoneName: string, unready: boolean): void {
    let zone = this.zones.get(zoneName);
    if (zone === undefined) {
      zone = {
        nodes: new Set(),
        unready: new Set(),
        waiting: new Set(),
        lastAt: -Infinity,
        timer: undefined,
      };
      this.zones.set(zoneName, zone);
    }
    const before = this.zoneOf.get(node);
    if (before !== undefined && before !== zone) this.forget(node);
    this.zoneOf.set(node, zone);
    zone.nodes.add(node);
    const changed = unready ? !zone.unready.has(node) : zone.unready.delete(node);
    if (unready) zone.unready.add(node);
    else zone.waiting.delete(node);
    if (changed) this.assess();
  }

  forget(node: string): void {
    const zone = this.zoneOf.get(node);
    this.zoneOf.delete(node);
    zone?.nodes.delete(node);
    zone?.unready.delete(node);
    zone?.waiting.delete(node);
  }

  /** The node is to be tainted when its turn comes. */
  request(node: string): void {
    const zone = this.zoneOf.get(node);
    if (zone === undefined || zone.waiting.has(node)) return;
    zone.waiting.add(node);
    this.plan(zone);
  }

  private assess(): void {
    const down = [...this.zones.values()].every(
      ({ nodes, unready }) => nodes.size === 0 || unready.size === nodes.size,
    );
    if (down && !this.fullyDown) {
      this.world.kernel.because(this.world.kernel.causes, () =>
        this.world.kernel.occur('node.master-disruption', {
          message: 'all nodes are not ready: evictions stop (Entering master disruption mode)',
        }),
      );
    }
    this.fullyDown = down;
    for (const zone of this.zones.values()) {
      zone.timer?.cancel();
      zone.timer = undefined;
      this.plan(zone);
    }
  }

  private plan(zone: Zone): void {
    const gap = this.gapOf(zone);
    if (zone.timer !== undefined || zone.waiting.size === 0 || gap === undefined) return;
    const { kernel } = this.world;
    const wait = Math.max(0, zone.lastAt + gap - kernel.now());
    zone.timer = kernel.after(wait, () => {
      zone.timer = undefined;
      const [node] = zone.waiting;
      if (node === undefined) return;
      zone.waiting.delete(node);
      zone.lastAt = kernel.now();
      this.taint(node);
      this.plan(zone);
    });
  }

  /** Milliseconds between two nodes of the zone; undefined when none is tainted. */
  private gapOf({ nodes, unready }: Zone): number | undefined {
    const { constants } = this.world;
    if (this.fullyDown) return undefined;
    const partly = unready.size > 2 && unready.size / nodes.size >= constants.unhealthyZoneRatio;
    if (!partly) return constants.nodeEvictionGapMs;
    const large = this.zoneOf.size > constants.largeClusterNodeCount;
    return large ? constants.nodeEvictionSlowGapMs : undefined;
  }
}
