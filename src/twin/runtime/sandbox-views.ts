/** Small shapes that both runtimes make of a sandbox. */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Attachment, SandboxRequest, SandboxResult } from '../world.ts';
import type { InterfaceAddress } from './go-cni.ts';
import type { SandboxState } from './node-runtime.ts';
import { caliLink } from './plugins/calico.ts';
import type { Sandbox } from './sandbox-store.ts';

/** `pod-a_default_uid-A_0`. */
export function sandboxName(request: SandboxRequest, attempt: number): string {
  return `${request.name}_${request.namespace}_${request.podUid}_${attempt}`;
}

export function failedRun(
  message: string,
  because: readonly OccurrenceId[],
): SandboxResult & { readonly ok: false } {
  return { ok: false, message, because };
}

export function stateOf(sandbox: Sandbox): SandboxState {
  const { id, request, ready, hasNetns: open, ip, others, defaultRoute } = sandbox;
  const addresses = others ?? (ip === undefined ? [] : [{ name: 'eth0', address: ip }]);
  return {
    id,
    request,
    ready,
    ip: open ? (ip ?? '') : '',
    addresses: open ? addresses : [],
    netnsOpen: open,
    defaultRoute,
  };
}

/** Takes over what the plugins gave; one address on eth0 needs no list. */
export function setAddresses(sandbox: Sandbox, addresses: readonly InterfaceAddress[]): void {
  const eth0 = addresses.find((one) => one.name === 'eth0');
  sandbox.ip = eth0?.address ?? addresses[0]?.address;
  sandbox.others = addresses.length === 1 && eth0 !== undefined ? undefined : addresses;
}

/** The first plugin of the network that gave the pod its address. */
export function pluginOf({ network }: Sandbox): string | undefined {
  return network?.plugins[0]?.type;
}

/**
 * Which data path carries the pod, by the plugin that gave its address. With host-local's addresses, as in
 * Canal, the calico plugin leaves what lies between nodes to Flannel; it has no bridge.
 */
export function attachmentFor(sandbox: Sandbox, ip: string): Attachment {
  const { request } = sandbox;
  const plugin = pluginOf(sandbox);
  const { podUid, hostPorts } = request;
  if (plugin === 'calico')
    return { podUid, ip, network: 'flannel', hostLink: caliLink(podUid), hostPorts };
  const network = plugin === 'cilium-cni' ? 'cilium' : plugin === 'flannel' ? 'flannel' : 'bridge';
  return { podUid, ip, network, hostPorts };
}

export function joinCauses(
  first: readonly OccurrenceId[],
  second: readonly OccurrenceId[],
): readonly OccurrenceId[] {
  if (second.length === 0) return first;
  return first.length === 0 ? second : [...new Set([...first, ...second])];
}
