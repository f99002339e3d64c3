/**
 * Where a distribution's runtime looks for CNI confs and plugins (knowledge:
 * talos-and-cni-selection.md 3.4; `k3s:pkg/agent/config/config.go@001a6d9`,
 * `rke2:pkg/cli/defaults/defaults.go@6ce1a80`).
 */
import type { Distribution } from './mount-tables.ts';

export interface CniPaths {
  readonly confDirectory: string;
  readonly binDirectories: readonly string[];
}

export const DEFAULT_CNI_PATHS: CniPaths = {
  confDirectory: '/etc/cni/net.d',
  binDirectories: ['/opt/cni/bin'],
};

/** K3s with its own Flannel; `--flannel-backend=none` moves the active directories to the defaults. */
export const K3S_FLANNEL_PATHS: CniPaths = {
  confDirectory: '/var/lib/rancher/k3s/agent/etc/cni/net.d',
  binDirectories: ['/var/lib/rancher/k3s/data/cni'],
};

export function cniPathsOf(distribution: Distribution, embeddedFlannel: boolean): CniPaths {
  return distribution === 'k3s' && embeddedFlannel ? K3S_FLANNEL_PATHS : DEFAULT_CNI_PATHS;
}
