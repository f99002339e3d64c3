/**
 * Talos by version: what it ships, what of `/etc/cni` and `/opt` outlives a reboot, how upgrades and
 * bootstrap manifests behave. Source: knowledge/talos-and-cni-selection.md 4.1 to 4.11
 * (talos:pkg/machinery/constants/constants.go@<tag> and the files named there).
 */
import { atLeast, compareVersions, minorOf } from '../base/versions.ts';

export interface TalosRelease {
  /** The oldest release this row holds for; later releases of the minor at least have it. */
  readonly version: string;
  readonly kubernetes: string;
  readonly containerd: string;
  /** Flannel that this release renders; a running cluster keeps what `upgrade-k8s` gave it last. */
  readonly flannel: string;
  /** The flannel plugin in the OS image; undefined where an init container brings it (1.7). */
  readonly flannelPlugin: string | undefined;
  /** As Node.status.nodeInfo has it; of the first release of the minor. */
  readonly kernel: string;
}

const TALOS_RELEASES: readonly TalosRelease[] = [
  release('1.7.0', '1.30.0', '1.7.15', '0.25.1', undefined, '6.6.26-talos'),
  release('1.8.0', '1.31.1', '2.0.0-rc.4', '0.25.6', '1.5.1-flannel2', '6.6.52-talos'),
  release('1.9.0', '1.32.0', '2.0.1', '0.26.1', '1.5.1-flannel3', '6.12.5-talos'),
  release('1.10.0', '1.33.0', '2.0.5', '0.26.7', '1.5.1-flannel3', '6.12.25-talos'),
  release('1.10.5', '1.33.2', '2.0.5', '0.26.7', '1.5.1-flannel3', '6.12.25-talos'),
  release('1.11.0', '1.34.0', '2.1.4', '0.27.2', '1.7.1-flannel1', '6.12.45-talos'),
  release('1.12.0', '1.35.0', '2.1.6', '0.27.4', '1.8.0-flannel2', '6.18.1-talos'),
  release('1.13.0', '1.36.0', '2.2.3', '0.28.4', '1.9.1-flannel1', '6.18.20-talos'),
  release('1.13.9', '1.36.3', '2.2.7', '0.28.8', '1.9.1-flannel3', '6.18.20-talos'),
  release('1.14.0-rc.1', '1.37.0-rc.0', '2.3.3', '0.28.9', '1.9.1-flannel3', '6.18.30-talos'),
];

function release(
  version: string,
  kubernetes: string,
  containerd: string,
  flannel: string,
  flannelPlugin: string | undefined,
  kernel: string,
): TalosRelease {
  return { version, kubernetes, containerd, flannel, flannelPlugin, kernel };
}

/** The newest row not above the version; the oldest one for anything older. */
export function talosRelease(version: string): TalosRelease {
  const rows = TALOS_RELEASES.filter((row) => compareVersions(row.version, version) <= 0);
  const row = rows.at(-1) ?? TALOS_RELEASES[0];
  if (row === undefined) throw new RangeError('the table of Talos releases is empty');
  return row;
}

/** The flannel plugin that Talos up to 1.7 has its DaemonSet's init container copy to the node. */
export const COPIED_FLANNEL_PLUGIN = '1.4.1-flannel1';

/** `ghcr.io/siderolabs/installer:v1.10.5` → `1.10.5`; undefined when the tag is no version. */
export function versionOfImage(image: string): string | undefined {
  const match = /:v?(\d+\.\d+\.\d+[^@]*)(@.*)?$/.exec(image);
  return match?.[1];
}

/**
 * What keeps a directory: `overlay` has its upper layer on EPHEMERAL and survives reboot and upgrade;
 * `tmpfs` is empty at every boot; `image` comes with the OS.
 */
type Persistence = 'overlay' | 'tmpfs' | 'image';

export interface TalosFileSystem {
  readonly etcCni: Persistence;
  readonly etcKubernetes: Persistence;
  readonly opt: Persistence;
  readonly run: Persistence;
}

/** From 1.14 `/etc/cni` is a tmpfs (f146c6a18, etc_overlay.go@v1.14.0-rc.1). */
export function talosFileSystem(version: string): TalosFileSystem {
  const etc = atLeast(version, '1.14.0-0') ? 'tmpfs' : 'overlay';
  return { etcCni: etc, etcKubernetes: etc, opt: 'overlay', run: 'tmpfs' };
}

/** Since 1.8 an upgrade cannot wipe EPHEMERAL; before, it did without `--preserve`. */
export function upgradeWipesEphemeral(version: string, preserve: boolean): boolean {
  return !atLeast(version, '1.8.0') && !preserve;
}

/**
 * `preserve: true` in the legacy upgrade call skips the etcd health check (89e307e58: in 1.12.11,
 * 1.13.9 and 1.14; the first patches with it were not looked up).
 */
export function preserveSkipsEtcdCheck(version: string): boolean {
  const minor = minorOf(version);
  if (minor === '1.12') return atLeast(version, '1.12.11');
  return minor === '1.13' ? atLeast(version, '1.13.9') : atLeast(version, '1.14.0-0');
}

/** From 1.13 `upgrade-k8s` deletes bootstrap objects that are no longer rendered; else it never does. */
export function upgradeK8sPrunes(version: string): boolean {
  return atLeast(version, '1.13.0-0');
}

/** From 1.13 node readiness and CoreDNS are not looked at with `cni: none` (57599fb87). */
export function healthBlindWithoutCni(version: string): boolean {
  return atLeast(version, '1.13.0-0');
}

/** UDP port of Talos's Flannel in every release read (1.5 to 1.14). */
export const TALOS_FLANNEL_PORT = 4789;
/** Where CoreDNS's questions go with `forwardKubeDNSToHost` (constants.HostDNSAddress). */
export const HOST_DNS_ADDRESS = '169.254.116.108';

/** The default kube-proxy mode: nftables with Kubernetes 1.31 and Talos 1.8. */
export function kubeProxyMode(
  talosVersion: string,
  kubernetesVersion: string,
): 'iptables' | 'nftables' {
  const both = atLeast(talosVersion, '1.8.0') && atLeast(kubernetesVersion, '1.31.0');
  return both ? 'nftables' : 'iptables';
}

/** Capabilities Talos takes from every workload (constants.DefaultDroppedCapabilities@v1.13.9). */
export const DROPPED_CAPABILITIES: readonly string[] = ['SYS_BOOT', 'SYS_MODULE'];
