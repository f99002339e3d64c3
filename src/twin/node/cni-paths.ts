/**
 * Where a distribution's runtime looks for CNI confs and plugins (knowledge:
 * talos-and-cni-selection.md 3.4; `k3s:pkg/agent/config/config.go@001a6d9`,
 * `rke2:pkg/cli/defaults/defaults.go@6ce1a80`).
 */
import { cniDirectories } from '../../knowledge/distributions.ts';
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

export function cniPathsOf(
  distribution: Distribution,
  embeddedFlannel: boolean,
  kubernetesVersion?: string,
): CniPaths {
  if (distribution !== 'k3s' || !embeddedFlannel) return DEFAULT_CNI_PATHS;
  const { confDir, binDir } = cniDirectories('k3s', {
    bundledFlannel: true,
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
  });
  return confDir === K3S_FLANNEL_PATHS.confDirectory &&
    binDir === K3S_FLANNEL_PATHS.binDirectories[0]
    ? K3S_FLANNEL_PATHS
    : { confDirectory: confDir, binDirectories: [binDir] };
}
