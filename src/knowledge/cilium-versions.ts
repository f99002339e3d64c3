/**
 * Cilium by version: what it needs, which API version of CiliumNodeConfig it serves, and the eras of
 * host routing. Source: knowledge/cilium-and-flannel.md sections 1, 5 and 10 (system_requirements.rst,
 * compatibility.rst, pkg/k8s/version/version.go and the CRDs at each ref).
 */
import { atLeast, minorOf } from '../base/versions.ts';

export interface CiliumMinor {
  readonly minor: string;
  /** Oldest kernel of the mainline. */
  readonly kernel: string;
  /** First and last Kubernetes minor in its test matrix. */
  readonly kubernetesTested: readonly [first: string, last: string];
  /** `kubeVersion` of the chart. */
  readonly chartKubernetes: string;
  readonly supported: boolean;
}

/** As of 2026-09: 1.20 is current, 1.18 the oldest supported. */
const CILIUM_MINORS: readonly CiliumMinor[] = [
  minor('1.13', '4.19.57', ['1.16', '1.26'], '1.16', false),
  minor('1.14', '4.19.57', ['1.19', '1.27'], '1.16', false),
  minor('1.15', '4.19.57', ['1.26', '1.29'], '1.16', false),
  minor('1.16', '5.4', ['1.27', '1.30'], '1.21', false),
  minor('1.17', '5.4', ['1.29', '1.32'], '1.21', false),
  minor('1.18', '5.10', ['1.30', '1.33'], '1.21', true),
  minor('1.19', '5.10', ['1.31', '1.34'], '1.21', true),
  minor('1.20', '5.10', ['1.33', '1.36'], '1.21', true),
];

function minor(
  name: string,
  kernel: string,
  kubernetesTested: readonly [string, string],
  chartKubernetes: string,
  supported: boolean,
): CiliumMinor {
  return { minor: name, kernel, kubernetesTested, chartKubernetes, supported };
}

export function ciliumMinor(version: string): CiliumMinor | undefined {
  return CILIUM_MINORS.find((entry) => entry.minor === minorOf(version));
}

/** The API version to write a CiliumNodeConfig in; v2 since 1.16 (crds/v2/ciliumnodeconfigs.yaml). */
export function nodeConfigApiVersion(version: string): 'cilium.io/v2' | 'cilium.io/v2alpha1' {
  return atLeast(version, '1.16.0') ? 'cilium.io/v2' : 'cilium.io/v2alpha1';
}

/**
 * The API versions a cluster with this Cilium serves: v2alpha1 beside v2 from 1.16, without it in
 * 1.20.0 and 1.20.1, and with it again since 1.20.2 (crds/v2/ciliumnodeconfigs.yaml at each).
 */
export function servedNodeConfigVersions(version: string): readonly string[] {
  if (!atLeast(version, '1.16.0')) return ['cilium.io/v2alpha1'];
  const alone = atLeast(version, '1.20.0-0') && !atLeast(version, '1.20.2');
  return alone ? ['cilium.io/v2'] : ['cilium.io/v2', 'cilium.io/v2alpha1'];
}

/**
 * What becomes of a packet from a pod to an address of the node that Cilium does not count as the
 * host's (Talos host DNS, NodeLocal DNS), while BPF host routing is on.
 */
export type HostLocalFate =
  /** Goes up the host's stack and arrives. */
  | 'stack'
  /** `drop (FIB lookup failed, 4)`, or out of the NIC on nodes with a single device. */
  | 'dropped'
  /** The code passes local routes to the stack; not measured on Talos, whose guide still warns. */
  | 'unproven';

/**
 * Tunnel mode took the stack by accident until 1.16.5 and 1.17.0 (2932ac49dba2, cilium/cilium#35098);
 * local routes are handed to the stack since 1.18.2 (4415e131d4c1, cilium/cilium#41241).
 */
export function hostLocalFate(version: string, routing: 'tunnel' | 'native'): HostLocalFate {
  if (atLeast(version, '1.18.2')) return 'unproven';
  if (routing === 'native') return 'dropped';
  return atLeast(version, '1.16.5') ? 'dropped' : 'stack';
}

/** Agents of 1.19.0 and 1.19.1 hang in `build-config` beside kube-proxy in IPVS mode (#44464). */
export function hangsBesideIpvs(version: string): boolean {
  return atLeast(version, '1.19.0') && !atLeast(version, '1.19.2');
}

/** Since 1.17 the pod MTU follows the lowest MTU of all selected devices (C@v1.17.8 upgrade.rst). */
export function mtuFollowsLowestDevice(version: string): boolean {
  return atLeast(version, '1.17.0');
}

/** UDP ports of the overlays when `tunnelPort` is 0 (C@v1.16.5:pkg/defaults/defaults.go). */
export const TUNNEL_PORTS = { vxlan: 8472, geneve: 6081 } as const;
