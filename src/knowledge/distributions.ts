/**
 * Where a distribution's runtime looks for CNI confs and plugins, and how its Flannel runs. Source:
 * knowledge/talos-and-cni-selection.md 3.4 (files of talos, k3s, rke2 and cri-o named there).
 */
import type { Distribution } from '../model/facts.ts';
import type { NodeObject } from '../model/kubernetes.ts';
import { K3S_DATA, k3sBinDirectory } from './k3s.ts';
import { RKE2_CANAL } from './rke2.ts';
import { TALOS_FLANNEL_PORT } from './talos-versions.ts';

export interface CniDirectories {
  readonly confDir: string;
  readonly binDir: string;
}

const DEFAULT_CNI_DIRECTORIES: CniDirectories = {
  confDir: '/etc/cni/net.d',
  binDir: '/opt/cni/bin',
};

/** K3s's containerd looks in its own directories only while the bundled Flannel is on. */
export function cniDirectories(
  distribution: Distribution,
  options: {
    readonly bundledFlannel: boolean;
    /** The present place of plugins where it is not known. */
    readonly kubernetesVersion?: string;
  },
): CniDirectories {
  if (distribution !== 'k3s' || !options.bundledFlannel) return DEFAULT_CNI_DIRECTORIES;
  return {
    confDir: `${K3S_DATA}/agent/etc/cni/net.d`,
    binDir: k3sBinDirectory(options.kubernetesVersion ?? '1.32.0'),
  };
}

export interface DistributionFlannel {
  /** The DaemonSet; undefined where Flannel runs inside another process. */
  readonly daemonSet: { readonly namespace: string; readonly name: string } | undefined;
  readonly configMap: { readonly namespace: string; readonly name: string } | undefined;
  /** UDP port of its VXLAN backend. */
  readonly port: number;
}

/** Flannel as the distribution deploys it; kubeadm: upstream's manifest; RKE2: in Canal. */
export function distributionFlannel(distribution: Distribution): DistributionFlannel {
  switch (distribution) {
    case 'talos':
      return {
        daemonSet: { namespace: 'kube-system', name: 'kube-flannel' },
        configMap: { namespace: 'kube-system', name: 'kube-flannel-cfg' },
        port: TALOS_FLANNEL_PORT,
      };
    case 'k3s':
      return { daemonSet: undefined, configMap: undefined, port: UPSTREAM_PORT };
    case 'rke2':
      return {
        daemonSet: RKE2_CANAL,
        configMap: { ...RKE2_CANAL, name: 'rke2-canal-config' },
        port: UPSTREAM_PORT,
      };
    case 'kubeadm':
      return {
        daemonSet: { namespace: 'kube-flannel', name: 'kube-flannel-ds' },
        configMap: { namespace: 'kube-flannel', name: 'kube-flannel-cfg' },
        port: UPSTREAM_PORT,
      };
  }
}

const UPSTREAM_PORT = 8472;

/** By marks that only one distribution leaves on its nodes; undefined for one without a mark. */
export function distributionOfNode({ metadata, status }: NodeObject): Distribution | undefined {
  const { osImage = '', kubeletVersion = '' } = status.nodeInfo ?? {};
  if (osImage.startsWith('Talos')) return 'talos';
  if (kubeletVersion.includes('+k3s')) return 'k3s';
  if (kubeletVersion.includes('+rke2')) return 'rke2';
  return metadata.annotations?.['kubeadm.alpha.kubernetes.io/cri-socket'] === undefined
    ? undefined
    : 'kubeadm';
}
