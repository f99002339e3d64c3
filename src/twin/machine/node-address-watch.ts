/**
 * Talos's NodeIP controller on the twin: when `cilium_host` comes or goes, the node's address is
 * chosen anew, and a kubelet that is given another one starts again with it (FM-09).
 */
import { nthAddress, parseCidr } from '../../base/cidr.ts';
import type { MachineSettings } from '../../knowledge/talos-config/settings.ts';
import { networkOf } from '../network/kernel-network.ts';
import type { TwinNode, World } from '../world.ts';
import { chooseNodeAddress } from './node-address.ts';
import { atLeast } from '../../base/versions.ts';

export type SettingsOf = (node: TwinNode) => MachineSettings;

export function watchNodeAddresses(
  world: World,
  talosVersion: string,
  settingsOf: SettingsOf,
): void {
  const present = new Set<string>();
  world.fabric.onChange((name) => {
    const node = world.nodes.get(name);
    if (node === undefined) return;
    const network = networkOf(node);
    const has = network.hasLink('cilium_host') && network.cilium !== undefined;
    if (has === present.has(name)) return;
    if (has) present.add(name);
    else present.delete(name);
    if (!node.machine.up) return;
    world.kernel.after(world.constants.controllerSyncMs, () =>
      reconcile(world, node, talosVersion, settingsOf(node)),
    );
  });
}

function reconcile(
  world: World,
  node: TwinNode,
  talosVersion: string,
  settings: MachineSettings,
): void {
  const object = world.store.get('Node', undefined, node.name);
  if (object === undefined || !node.machine.up) return;
  const chosen = chooseNodeAddress([node.address, ...ciliumHostAddress(node)], {
    podSubnets: settings.podSubnets,
    serviceSubnets: settings.serviceSubnets,
    podCidrs: atLeast(talosVersion, '1.13.0') ? (object.spec.podCIDRs ?? []) : [],
    validSubnets: settings.nodeIpValidSubnets,
  });
  const reported = object.status.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  if (chosen === undefined || chosen === reported) return;
  world.kernel.occur('talos.node-ip-changed', {
    node: node.name,
    subject: { kind: 'Node', name: node.name },
    message: `${node.name} reports ${chosen} instead of ${reported ?? 'nothing'}: it is the numerically first address outside podSubnets ${settings.podSubnets.join(',')}`,
    because: networkOf(node).why('cilium'),
  });
  world.store.update('Node', undefined, node.name, (old) => ({
    ...old,
    status: {
      ...old.status,
      addresses: [
        { type: 'InternalIP', address: chosen },
        ...(old.status.addresses ?? []).filter(({ type }) => type !== 'InternalIP'),
      ],
    },
  }));
  node.kubelet.restart();
}

/** The router's address, the first of the node's range. */
function ciliumHostAddress(node: TwinNode): readonly string[] {
  const network = networkOf(node);
  const range = parseCidr(network.cilium?.podCidrs[0] ?? '');
  return range === undefined || !network.hasLink('cilium_host') ? [] : [nthAddress(range, 1)];
}
