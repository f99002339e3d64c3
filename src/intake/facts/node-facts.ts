/** Node objects to facts about nodes. */
import type { ReadObject } from '../../model/cluster-input.ts';
import { known, unknown } from '../../model/fact.ts';
import type { Fact } from '../../model/fact.ts';
import type { NodeFacts } from '../../model/facts.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import { internalIpsOf, isControlPlane } from '../../model/node-object.ts';

export function nodeFacts(read: ReadObject): NodeFacts {
  const node = read.object as NodeObject; // indexed by kind
  const { metadata, spec, status } = node;
  const info = status.nodeInfo;
  const tell = (path: string, text: string | undefined): Fact<string> =>
    text === undefined || text === ''
      ? unknown(`${path} of Node ${metadata.name}`, `kubectl get node ${metadata.name} -o json`)
      : known(text, { ...read.source, path });
  const talos = /Talos \(v?([^)]+)\)/.exec(info?.osImage ?? '')?.[1];
  return {
    name: metadata.name,
    source: read.source,
    role: known(isControlPlane(node) ? 'control-plane' : 'worker', {
      ...read.source,
      path: 'metadata.labels',
    }),
    internalIps: internalIpsOf(node),
    podCidrs: spec.podCIDRs ?? (spec.podCIDR === undefined ? [] : [spec.podCIDR]),
    runtime: runtimeOf(read, info?.containerRuntimeVersion),
    kubeletVersion: tell('status.nodeInfo.kubeletVersion', info?.kubeletVersion?.replace(/^v/, '')),
    kernelVersion: tell('status.nodeInfo.kernelVersion', info?.kernelVersion),
    osImage: tell('status.nodeInfo.osImage', info?.osImage),
    talosVersion:
      talos === undefined
        ? unknown(`the Talos version of ${metadata.name}`, 'talosctl -n <node> version')
        : known(talos, { ...read.source, path: 'status.nodeInfo.osImage' }),
    unschedulable: spec.unschedulable === true,
    object: node,
  };
}

/** `containerd://2.0.5`, `cri-o://1.33.0`. */
function runtimeOf(read: ReadObject, text: string | undefined): NodeFacts['runtime'] {
  const path = 'status.nodeInfo.containerRuntimeVersion';
  const match = /^(containerd|cri-o):\/\/v?(.+)$/.exec(text ?? '');
  const [, name, version] = match ?? [];
  if (name === undefined || version === undefined) {
    const { name: node } = read.object.metadata;
    return unknown(`the container runtime of Node ${node}`, `kubectl get node ${node} -o json`);
  }
  return known(
    { name: name === 'containerd' ? 'containerd' : 'cri-o', version },
    { ...read.source, path },
  );
}

/** The one value all facts agree on; unknown with both values named where they do not. */
export function agreed<T>(facts: readonly Fact<T>[], what: string, command: string): Fact<T> {
  let first: Fact<T> | undefined;
  for (const fact of facts) {
    if (!fact.known) continue;
    if (first === undefined || !first.known) first = fact;
    else if (JSON.stringify(first.value) !== JSON.stringify(fact.value)) {
      return unknown(
        `${what}: ${String(first.value)} and ${String(fact.value)} were read`,
        command,
      );
    }
  }
  return first ?? unknown(what, command);
}
