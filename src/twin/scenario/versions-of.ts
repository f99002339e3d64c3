/** What Node objects tell of their machines: distribution, versions, role and address. */
import { normalVersion } from '../../base/versions.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import { isControlPlane } from '../../model/node-object.ts';
import type { WorldVersions } from '../world.ts';

const TALOS_IMAGE = /^Talos \(v?([^)]+)\)/;

export function versionsOf(nodes: readonly NodeObject[]): WorldVersions {
  const first = nodes.find(isControlPlane) ?? nodes[0];
  const info = first?.status.nodeInfo;
  const kubelet = info?.kubeletVersion ?? '';
  const kubernetes = normalVersion(kubelet.split('+')[0] ?? '') ?? '1.33.0';
  const talos = TALOS_IMAGE.exec(info?.osImage ?? '')?.[1];
  if (talos !== undefined) {
    return {
      kubernetes,
      distribution: 'talos',
      distributionVersion: normalVersion(talos) ?? talos,
    };
  }
  const distribution = kubelet.includes('+k3s')
    ? 'k3s'
    : kubelet.includes('+rke2')
      ? 'rke2'
      : 'kubeadm';
  return { kubernetes, distribution, distributionVersion: kubernetes };
}

/** The Talos version one node runs; undefined when it does not run Talos. */
export function talosVersionOf(node: NodeObject): string | undefined {
  const text = TALOS_IMAGE.exec(node.status.nodeInfo?.osImage ?? '')?.[1];
  return text === undefined ? undefined : normalVersion(text);
}

/** Its kubelet has stopped telling: what the node lifecycle controller writes of a node that is gone. */
export function isOff({ status }: NodeObject): boolean {
  return status.conditions?.find(({ type }) => type === 'Ready')?.status === 'Unknown';
}

/** `containerd://2.0.5` → name and version. */
export function runtimeOf(
  node: NodeObject,
): { readonly kind: 'containerd' | 'cri-o'; readonly version: string } | undefined {
  const match = /^(containerd|cri-o):\/\/v?(.+)$/.exec(
    node.status.nodeInfo?.containerRuntimeVersion ?? '',
  );
  const version = match?.[2];
  if (version === undefined) return undefined;
  return { kind: match?.[1] === 'cri-o' ? 'cri-o' : 'containerd', version };
}

export function addressOf(node: NodeObject): string {
  return (
    node.status.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? node.metadata.name
  );
}
