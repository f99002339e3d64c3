/** Which data path carries a pod that runs already: a CiliumEndpoint says Cilium, else the old one. */
import { type Cidr, contains, parseAddress, parseCidr } from '../../base/cidr.ts';
import type { KubeObject, PodObject } from '../../model/kubernetes.ts';
import { FLANNEL_SUBNET_MANAGER } from '../network/peer-tables.ts';
import { imageName } from '../programs/image.ts';
import type { ObjectStore } from '../store/object-store.ts';

export type PodNetwork = 'flannel' | 'cilium' | 'bridge';

export function podNetworkOf(store: ObjectStore): (pod: PodObject) => PodNetwork {
  const ranges = new Map<string, readonly Cidr[]>();
  for (const object of store.list<string>('CiliumNode'))
    ranges.set(object.metadata.name, rangesOf(object));
  const hasFlannel =
    store
      .list('DaemonSet')
      .some(
        ({ metadata, spec }) =>
          metadata.name.includes('flannel') ||
          spec.template.spec.containers.some((container) => imageName(container) === 'flannel'),
      ) ||
    store.list('ConfigMap').some(({ metadata }) => metadata.name === 'kube-flannel-cfg') ||
    // Where no object runs it, each node says that it has a flanneld.
    store
      .list('Node')
      .some(({ metadata }) => metadata.annotations?.[FLANNEL_SUBNET_MANAGER] === 'true');
  return (pod) => {
    const own = ranges.get(pod.spec.nodeName ?? '') ?? [];
    const address = parseAddress(pod.status.podIP ?? '');
    if (address !== undefined && own.some((range) => contains(range, address))) return 'cilium';
    return hasFlannel || own.length === 0 ? 'flannel' : 'bridge';
  };
}

function rangesOf(object: KubeObject): readonly Cidr[] {
  // Cilium's own shape of the field.
  const { spec } = object as KubeObject & {
    readonly spec?: { readonly ipam?: { readonly podCIDRs?: readonly string[] } };
  };
  return (spec?.ipam?.podCIDRs ?? []).flatMap((text) => {
    const range = parseCidr(text);
    return range === undefined ? [] : [range];
  });
}
