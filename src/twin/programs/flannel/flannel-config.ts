/** What flanneld is told: `net-conf.json`, and what its version does (cilium-and-flannel.md 13, 14). */
import { atLeast } from '../../../base/versions.ts';
import type { PodSpec } from '../../../model/kubernetes.ts';
import type { ProcessHost } from '../../world.ts';
import { imageVersion } from '../image.ts';
import { FLANNEL_CONFIG_MAP } from './install-config.ts';

export interface FlannelConfig {
  readonly network: string;
  readonly backend: 'vxlan' | 'host-gw';
  readonly port: number;
  /** Its rules are in tables of nft, instead of iptables. */
  readonly nftables?: boolean;
}

/** The Linux kernel's own default, which flanneld leaves to it (F:Documentation/backends.md). */
const DEFAULT_VXLAN_PORT = 8472;

/** The ConfigMap that is mounted for flanneld; in Canal it is Calico's too. */
export function flannelConfigMapOf({ volumes }: PodSpec): string {
  const mounted = volumes?.find(({ name }) => name === 'flannel-cfg')?.configMap?.name;
  return mounted ?? FLANNEL_CONFIG_MAP;
}

export function readFlannelConfig({ world, pod }: ProcessHost): FlannelConfig | undefined {
  const map = world.store.get('ConfigMap', pod.metadata.namespace, flannelConfigMapOf(pod.spec));
  const text = map?.data?.['net-conf.json'];
  if (text === undefined) return undefined;
  let parsed: NetConf;
  try {
    parsed = JSON.parse(text) as NetConf; // flanneld reads these fields and no others
  } catch {
    return undefined;
  }
  if (typeof parsed.Network !== 'string') return undefined;
  const type = parsed.Backend?.Type;
  return {
    network: parsed.Network,
    backend: type === 'host-gw' ? 'host-gw' : 'vxlan',
    port: parsed.Backend?.Port ?? DEFAULT_VXLAN_PORT,
    nftables: parsed.EnableNFTables === true,
  };
}

interface NetConf {
  readonly Network?: unknown;
  readonly EnableNFTables?: unknown;
  readonly Backend?: { readonly Type?: string; readonly Port?: number };
}

/**
 * Whether SIGTERM makes flanneld take its masquerade rules along: 0.25.0 to 0.26.7 do, 0.27.0 moved
 * the clean-up to start-up (flannel-io/flannel@7554861d). A version that is not known leaves them.
 */
export function removesRulesOnExit(host: ProcessHost): boolean {
  const version = imageVersion(host.container);
  return version !== undefined && atLeast(version, '0.25.0') && !atLeast(version, '0.27.0');
}
