/**
 * The CiliumNode: the agent makes its own, and in cluster-pool mode waits until the operator wrote a
 * range into it; with `ipam: kubernetes` it takes the Node's podCIDRs (cilium-and-flannel.md 6).
 */
import type { ProcessHost, World } from '../../world.ts';
import { asCiliumNode, type CiliumNodeObject } from '../../network/peer-tables.ts';
import { hubOf } from '../hub.ts';
import type { Life } from '../life.ts';
import { effectiveConfig } from './agent-config.ts';

function ciliumNodeOf(world: World, name: string): CiliumNodeObject | undefined {
  const object = world.store.get<string>('CiliumNode', undefined, name);
  return object === undefined ? undefined : asCiliumNode(object);
}

export function podCidrsOf(node: CiliumNodeObject | undefined): readonly string[] {
  return node?.spec?.ipam?.podCIDRs ?? [];
}

/** Creates it, or brings its address up to date; a range it has stays. */
export function ensureCiliumNode(host: ProcessHost): void {
  const { world, node } = host;
  const addresses = [{ type: 'InternalIP', ip: node.address }];
  const old = ciliumNodeOf(world, node.name);
  if (old === undefined) {
    const own = effectiveConfig(host)['ipam'] === 'kubernetes' ? ownPodCidrs(world, node.name) : [];
    const object: CiliumNodeObject = {
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNode',
      metadata: { name: node.name },
      spec: { addresses, ipam: own.length === 0 ? {} : { podCIDRs: own } },
    };
    world.store.create(object);
    return;
  }
  if (old.spec?.addresses?.[0]?.ip === node.address) return;
  world.store.update<string>('CiliumNode', undefined, node.name, (object) => {
    const present = asCiliumNode(object);
    return { ...present, spec: { ...present.spec, addresses } };
  });
}

function ownPodCidrs(world: World, name: string): readonly string[] {
  const node = world.store.get('Node', undefined, name);
  return node?.spec.podCIDRs ?? (node?.spec.podCIDR === undefined ? [] : [node.spec.podCIDR]);
}

/** Calls back once the node's own range is known; at once if it is. */
export function whenRangeGiven(
  host: ProcessHost,
  life: Life,
  action: (podCidrs: readonly string[]) => void,
): void {
  const { world, node } = host;
  const present = podCidrsOf(ciliumNodeOf(world, node.name));
  if (present.length > 0) {
    action(present);
    return;
  }
  const stop = hubOf(world).follow('CiliumNode', { name: node.name }, ({ object }) => {
    const given = podCidrsOf(asCiliumNode(object));
    if (given.length === 0) return;
    stop();
    if (!life.ended) action(given);
  });
  life.onEnd(stop);
}
