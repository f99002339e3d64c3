/** What the Talos machines of one cluster share: the manifests their configs render, and upgrade-k8s. */
import { nthAddress, parseCidr } from '../../base/cidr.ts';
import { atLeast } from '../../base/versions.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import {
  backfillInventory,
  createMissingManifests,
  syncManifests,
} from '../machine/manifests-controller.ts';
import { watchNodeAddresses } from '../machine/node-address-watch.ts';
import { settingsOfConfig } from '../machine/talos-config.ts';
import type { TalosMachine } from '../machine/talos-machine.ts';
import { renderTalosManifests } from '../machine/talos-manifests.ts';
import { talosRelease } from '../../knowledge/talos-versions.ts';
import type { World } from '../world.ts';

export interface TalosCluster {
  /** The config of a node is now this, or it has booted. */
  configChanged(node: string, config: string, version: string): void;
  /** `talosctl upgrade-k8s`, as a client of the first control plane. */
  upgradeKubernetes(): void;
  /** Begins to follow addresses; the fabric must be there. */
  start(): void;
}

export function createTalosCluster(
  world: World,
  machines: ReadonlyMap<string, TalosMachine>,
): TalosCluster {
  return {
    configChanged: (node, config, version) => {
      if (world.nodes.get(node)?.role !== 'control-plane') return;
      const run = (): void =>
        createMissingManifests(world, node, version, rendered(world, config, version));
      const later = (): void => {
        world.kernel.after(world.constants.controllerSyncMs, run);
      };
      if (world.api.whenHealthy === undefined) later();
      else world.api.whenHealthy(later);
    },
    upgradeKubernetes: () => {
      const controlPlane = [...world.nodes.values()].find(
        ({ role, machine }) => role === 'control-plane' && machine.up,
      );
      const machine = machines.get(controlPlane?.name ?? '');
      if (machine === undefined) return;
      const prunes = [...machines.values()].every((each) => atLeast(each.version(), '1.13.0'));
      world.kernel.occur('talos.kubernetes-upgraded', {
        message: `talosctl upgrade-k8s synced the manifests${prunes ? ' and pruned what is rendered no more' : ''}`,
      });
      syncManifests(world, rendered(world, machine.config(), machine.version()), prunes);
    },
    start: () => {
      const [first] = machines.values();
      if (first !== undefined && atLeast(first.version(), '1.13.0')) {
        backfillInventory(world, rendered(world, first.config(), first.version()));
      }
      watchNodeAddresses(world, world.versions.distributionVersion, (node) =>
        settingsOfConfig(
          node.machine.config(),
          machines.get(node.name)?.version() ?? world.versions.distributionVersion,
        ),
      );
    },
  };
}

function rendered(world: World, config: string, version: string): readonly KubeObject[] {
  const settings = settingsOfConfig(config, version);
  const services = parseCidr(settings.serviceSubnets[0] ?? '');
  return renderTalosManifests({
    talosVersion: version,
    kubernetesVersion: world.versions.kubernetes,
    flannelVersion: `v${talosRelease(version).flannel}`,
    cniName: settings.cniName,
    proxyDisabled: settings.proxyDisabled,
    podSubnets: settings.podSubnets,
    dnsDomain: settings.dnsDomain,
    clusterDns: services === undefined ? '10.96.0.10' : nthAddress(services, 10),
    kubePrismPort: settings.kubePrism.enabled ? settings.kubePrism.port : undefined,
  });
}
