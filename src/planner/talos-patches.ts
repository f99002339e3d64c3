/**
 * Machine config patches for a plan, in the form the live configs have. One patch goes to several
 * nodes, whose configs may differ: it is made for the one that lacks most, and what others have
 * already does no harm a second time.
 */
import {
  cniFlannelPatch,
  cniNonePatch,
  kubeProxyPatch,
  pinAddressesPatch,
} from '../knowledge/talos-config/patches.ts';
import type { ConfigDocument } from '../knowledge/talos-config/read-config.ts';
import { known, type Fact } from '../model/fact.ts';
import type { MachineConfigFacts } from '../model/facts.ts';

interface Patch {
  readonly patch: string;
  readonly undo: string;
}

export interface TalosPatches {
  /** Undefined when the configs name no CNI as they are. */
  readonly cniNone: Patch | undefined;
  readonly proxyOff: Patch;
  /** Undefined when all configs of the role pin these subnets already. */
  pinAddresses(lan: readonly string[], controlPlane: boolean): string | undefined;
}

/** The last line whose configs are surely of the older form; for configs that were not read. */
const ONE_DOCUMENT = '1.12.0';

export function talosPatches(
  configs: readonly MachineConfigFacts[],
  talosVersion: string,
): TalosPatches {
  const version = configs.length === 0 ? ONE_DOCUMENT : talosVersion;
  const documents = configs.flatMap(documentsOf);
  const none = cniNonePatch(documents, version);
  return {
    cniNone: none === undefined ? undefined : { patch: none, undo: cniFlannelPatch(documents) },
    proxyOff: {
      patch: kubeProxyPatch(documents, version, false),
      undo: kubeProxyPatch(documents, version, true),
    },
    pinAddresses: (lan, controlPlane) => {
      const ofRole = configs.filter(({ machineType }) => {
        const role = machineType.known ? machineType.value : undefined;
        return role === undefined || (role === 'controlplane') === controlPlane;
      });
      const each = (ofRole.length === 0 ? [documents] : ofRole.map(documentsOf)).map((own) =>
        pinAddressesPatch(own, version, lan, { etcd: controlPlane }),
      );
      return each.toSorted((left, right) => (right?.length ?? 0) - (left?.length ?? 0))[0];
    },
  };
}

function documentsOf({ input }: MachineConfigFacts): readonly ConfigDocument[] {
  return input.documents.map(({ kind, tree }) => ({ kind, value: tree.value }));
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
