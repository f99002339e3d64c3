/** Where an end of a path is: on which node, behind which attachment. */
import type { PodObject } from '../../model/kubernetes.ts';
import type { Attachment, NetworkEnd, PathVerdict, TwinNode } from '../world.ts';
import { type KernelNetwork, networkOf } from './kernel-network.ts';
import { lost } from './verdict.ts';

export interface Place {
  readonly node: TwinNode;
  readonly network: KernelNetwork;
  /** Undefined for the host itself and for hostNetwork pods. */
  readonly attachment: Attachment | undefined;
  readonly pod: PodObject | undefined;
}

export type Located =
  { readonly ok: true; readonly place: Place } | (PathVerdict & { readonly ok: false });

export function hostOf(node: TwinNode): Place {
  return { node, network: networkOf(node), attachment: undefined, pod: undefined };
}

/** The end's place, or why there is none: no such node, machine down, pod without a network. */
export function locate(
  nodes: ReadonlyMap<string, TwinNode>,
  end: Exclude<NetworkEnd, { kind: 'outside' }>,
): Located {
  const name = end.kind === 'host' ? end.node : end.pod.spec.nodeName;
  const node = name === undefined ? undefined : nodes.get(name);
  if (node === undefined) return lost(`there is no node ${name ?? 'for the pod'}`);
  if (!node.machine.up) return lost(`${node.name} is down`, networkOf(node).why('power'));
  const network = networkOf(node);
  if (end.kind === 'host') return { ok: true, place: hostOf(node) };
  const { pod } = end;
  if (pod.spec.hostNetwork === true) {
    return { ok: true, place: { node, network, attachment: undefined, pod } };
  }
  const attachment = network.attachmentOf(pod.metadata.uid ?? '');
  if (attachment === undefined) {
    return lost(
      `${pod.metadata.namespace ?? ''}/${pod.metadata.name} has no sandbox on ${node.name}`,
      network.whyDetached(pod.metadata.uid ?? ''),
    );
  }
  return { ok: true, place: { node, network, attachment, pod } };
}

export function addressOf(place: Place): string {
  return place.attachment?.ip ?? place.node.address;
}
