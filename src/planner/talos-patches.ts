/**
 * Machine config patches in the form the live configs have: paths of the v1alpha1 document, or the
 * documents of Talos 1.14. The two forms exclude each other per domain (talos-and-cni-selection 4.7).
 */
import { stringify } from 'yaml';
import { known, type Fact } from '../model/fact.ts';
import type { MachineConfigFacts } from '../model/facts.ts';

interface Patch {
  readonly patch: string;
  readonly undo: string;
}

export interface TalosPatches {
  readonly cniNone: Patch;
  readonly proxyOff: Patch;
  pinAddresses(lan: readonly string[], controlPlane: boolean): Patch;
}

export function talosPatches(configs: readonly MachineConfigFacts[]): TalosPatches {
  const documents = configs.flatMap(({ input }) => input.documents);
  const flannel = documents.find(({ kind }) => kind === 'KubeFlannelCNIConfig');
  const proxy = documents.find(({ kind }) => kind === 'KubeProxyConfig');
  return {
    cniNone:
      flannel === undefined
        ? asYaml(
            { cluster: { network: { cni: { name: 'none' } } } },
            { cluster: { network: { cni: { name: 'flannel' } } } },
          )
        : asYaml(
            { apiVersion: 'v1alpha1', kind: 'KubeFlannelCNIConfig', $patch: 'delete' },
            flannel.tree.value,
          ),
    proxyOff:
      proxy === undefined && flannel === undefined
        ? asYaml(
            { cluster: { proxy: { disabled: true } } },
            { cluster: { proxy: { disabled: false } } },
          )
        : asYaml(
            { apiVersion: 'v1alpha1', kind: 'KubeProxyConfig', enabled: false },
            { apiVersion: 'v1alpha1', kind: 'KubeProxyConfig', enabled: true },
          ),
    pinAddresses: (lan, controlPlane) => ({
      patch: yamlOf({
        machine: { kubelet: { nodeIP: { validSubnets: lan } } },
        ...(controlPlane ? { cluster: { etcd: { advertisedSubnets: lan } } } : {}),
      }),
      // Strategic merge appends lists; a pin that stays is harmless, so there is nothing to undo it with.
      undo: '',
    }),
  };
}

function asYaml(patch: unknown, undo: unknown): Patch {
  return { patch: yamlOf(patch), undo: yamlOf(undo) };
}

function yamlOf(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false });
}

/** Every whole config names its valid subnets; unknown when none was read. */
export function addressesPinned(configs: readonly MachineConfigFacts[]): Fact<boolean> {
  const [first] = configs;
  if (first === undefined)
    return {
      known: false,
      missing: 'machine configs',
      command: 'talosctl get machineconfig -o yaml',
    };
  const pinned = configs.every(
    ({ nodeIpValidSubnets }) => nodeIpValidSubnets.known && nodeIpValidSubnets.value.length > 0,
  );
  return known(pinned, first.input.source);
}
