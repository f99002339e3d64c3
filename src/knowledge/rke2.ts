/**
 * RKE2 as its nodes show it: K3s's process with charts for the network and static pods for the control
 * plane and kube-proxy. What concerns the network is said to servers alone.
 */
import type { NodeObject } from '../model/kubernetes.ts';
import { type K3sArguments, k3sArgumentsIn, k3sFlag } from './k3s.ts';

const NODE_ARGS = 'rke2.io/node-args';
const DATA = '/var/lib/rancher/rke2';
/** Later names win, and the command line wins over all, as for K3s. */
export const RKE2_CONFIG = '/etc/rancher/rke2/config.yaml';
export const RKE2_CONFIG_DIRECTORY = '/etc/rancher/rke2/config.yaml.d';
/**
 * Copied there at every start of a server; what is disabled is deleted again, with the HelmChart in it, and
 * the helm controller uninstalls the release (rke2:pkg/bootstrap/bootstrap.go, pkg/cli/cmds/server.go@6ce1a80;
 * k3s:pkg/deploy/controller.go@0301210; helm-controller:pkg/controllers/chart/chart.go OnRemove@21a911f).
 */
export const RKE2_CANAL_MANIFEST = `${DATA}/server/manifests/rke2-canal.yaml`;
/** Removed at every start of the process, and written again unless kube-proxy is off (rke2:pkg/executor/staticpod@6ce1a80). */
export const RKE2_PROXY_MANIFEST = `${DATA}/agent/pod-manifests/kube-proxy.yaml`;
/** An API server, or the balancer to all of them, on every node (docs.rke2.io, Networking). */
export const RKE2_LOCAL_API = { host: '127.0.0.1', port: 6443 } as const;
export const RKE2_CANAL = { namespace: 'kube-system', name: 'rke2-canal' } as const;

export interface Rke2Network {
  /** Charts by name: `canal`, `cilium`, `none`, also with `multus` before. */
  readonly cni: readonly string[];
  readonly kubeProxy: boolean;
}

/** Undefined where the node says nothing of its arguments. */
export function rke2Arguments({ metadata }: NodeObject): K3sArguments | undefined {
  const text = metadata.annotations?.[NODE_ARGS];
  return text === undefined ? undefined : k3sArgumentsIn(textsIn(text));
}

/** Defaults of `rke2 server --help`. */
export function rke2Network(server: K3sArguments): Rke2Network {
  const named = (server.flags.get('cni') ?? []).flatMap((value) => value.split(','));
  return {
    cni: named.length === 0 ? ['canal'] : named,
    kubeProxy: k3sFlag(server, 'disable-kube-proxy') !== 'true',
  };
}

function textsIn(json: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}
