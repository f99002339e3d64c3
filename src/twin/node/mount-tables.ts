/**
 * Mounts of a node by distribution and version, as data (knowledge: talos-and-cni-selection.md 4.1;
 * `talos:internal/pkg/mount/v2/pseudo.go@v1.10.5`, `talos:pkg/machinery/constants/constants.go@v1.10.5`
 * Overlays, `talos:internal/app/machined/pkg/runtime/v1alpha2/etc_overlay.go@v1.14.0-rc.1`).
 */
import { atLeast } from '../../base/versions.ts';

export type Distribution = 'talos' | 'k3s' | 'rke2' | 'kubeadm';

export type MountKind =
  /** The installed image, read-only; an upgrade brings another one. */
  | 'image'
  /** Memory; gone with the power. */
  | 'tmpfs'
  /** Talos's EPHEMERAL partition. */
  | 'ephemeral'
  /** Image below, changes on EPHEMERAL above. */
  | 'overlay'
  /** An ordinary root file system. */
  | 'disk';

export interface MountRow {
  readonly path: string;
  readonly kind: MountKind;
  /** Where an overlay keeps its changes. */
  readonly upper?: string;
}

/** Deepest first, so that the first row that holds a path is its mount. */
export function mountsOf(distribution: Distribution, version: string): readonly MountRow[] {
  const rows = distribution === 'talos' ? talosMounts(version) : SYSTEMD_MOUNTS;
  return [...rows].sort((left, right) => right.path.length - left.path.length);
}

const SYSTEMD_MOUNTS: readonly MountRow[] = [
  { path: '/', kind: 'disk' },
  { path: '/run', kind: 'tmpfs' },
  { path: '/sys/fs/bpf', kind: 'tmpfs' },
];

const TALOS_ALWAYS: readonly MountRow[] = [
  { path: '/', kind: 'image' },
  { path: '/run', kind: 'tmpfs' },
  { path: '/tmp', kind: 'tmpfs' },
  { path: '/system', kind: 'tmpfs' },
  { path: '/sys/fs/bpf', kind: 'tmpfs' },
  { path: '/var', kind: 'ephemeral' },
];

const OVERLAYS_UNTIL_1_13 = ['/etc/cni', '/etc/kubernetes', '/usr/libexec/kubernetes', '/opt'];

function talosMounts(version: string): readonly MountRow[] {
  if (!atLeast(version, '1.14.0-alpha.2')) {
    return [...TALOS_ALWAYS, ...OVERLAYS_UNTIL_1_13.map(overlay)];
  }
  // The rest of /etc is a read-only overlay that is made anew at boot: to whoever writes, the image.
  return [
    ...TALOS_ALWAYS,
    { path: '/etc/cni', kind: 'tmpfs' },
    { path: '/etc/kubernetes', kind: 'tmpfs' },
    overlay('/opt'),
  ];
}

/** `talos:internal/pkg/mount/v2/mount.go@v1.10.5` NewOverlayWithBasePath: `<path with - >-diff`. */
function overlay(path: string): MountRow {
  const name = path.slice(1).replaceAll('/', '-');
  return { path, kind: 'overlay', upper: `/var/system/overlays/${name}-diff` };
}

/** Whether an upgrade leaves EPHEMERAL alone (`talos:cmd/installer/pkg/install/install.go@v1.8.0`). */
export function upgradeKeepsEphemeral(
  distribution: Distribution,
  version: string,
  preserve: boolean,
): boolean {
  return distribution !== 'talos' || preserve || atLeast(version, '1.8.0-alpha.0');
}

/** Plugins in the image's `/opt/cni/bin` since Talos 1.8 (knowledge 4.2; `talos:Dockerfile@v1.8.0`). */
export const TALOS_BUNDLED_PLUGINS = [
  'bridge',
  'firewall',
  'flannel',
  'host-local',
  'loopback',
  'portmap',
];

export function bundlesPlugins(distribution: Distribution, version: string): boolean {
  return distribution === 'talos' && atLeast(version, '1.8.0-alpha.0');
}
