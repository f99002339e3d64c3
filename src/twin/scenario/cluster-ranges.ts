/**
 * The pod and Service ranges of a cluster as its own objects show them: the flags of the control
 * plane's mirror pods, Flannel's configuration, the nodes' ranges.
 */
import { type Cidr, contains, nthSubnet, parseCidr } from '../../base/cidr.ts';
import type { ConfigMapObject, KubeObject, NodeObject, PodObject } from '../../model/kubernetes.ts';
import { FLANNEL_CONFIG_MAP } from '../programs/flannel/install-config.ts';

/** IPv4; undefined when nothing shows it. */
export function podRange(objects: readonly KubeObject[]): string | undefined {
  return (
    flag(objects, 'kube-controller-manager', '--cluster-cidr') ??
    flannelNetwork(objects) ??
    supernetOf(objects.filter(isNode))
  );
}

/** IPv4; undefined when nothing shows it. */
export function serviceRange(objects: readonly KubeObject[]): string | undefined {
  return flag(objects, 'kube-apiserver', '--service-cluster-ip-range');
}

export function isNode(object: KubeObject): object is NodeObject {
  return object.kind === 'Node' && object.apiVersion === 'v1';
}

/** The first IPv4 range that the component is started with. */
function flag(objects: readonly KubeObject[], component: string, name: string): string | undefined {
  for (const object of objects) {
    if (object.kind !== 'Pod' || !object.metadata.name.startsWith(`${component}-`)) continue;
    const { containers } = (object as PodObject).spec; // the kind says so
    const words = containers.flatMap(({ command = [], args = [] }) => [...command, ...args]);
    const word = words.find((each) => each.startsWith(`${name}=`)) ?? '';
    const range = word
      .slice(name.length + 1)
      .split(',')
      .find((text) => parseCidr(text)?.family === 4);
    if (range !== undefined) return range;
  }
  return undefined;
}

function flannelNetwork(objects: readonly KubeObject[]): string | undefined {
  const map = objects.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === FLANNEL_CONFIG_MAP,
  );
  const text = (map as ConfigMapObject | undefined)?.data?.['net-conf.json'] ?? ''; // the kind says so
  const network = /"Network"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  return network !== undefined && parseCidr(network) !== undefined ? network : undefined;
}

/** The range of `/16` or shorter that holds every node's own. */
function supernetOf(nodes: readonly NodeObject[]): string | undefined {
  const own = nodes.flatMap(({ spec }): readonly Cidr[] => {
    const cidr = parseCidr(spec.podCIDR ?? '');
    return cidr === undefined || cidr.family !== 4 ? [] : [cidr];
  });
  const [first] = own;
  if (first === undefined) return undefined;
  for (let prefix = 16; prefix >= 8; prefix -= 1) {
    const range = parseCidr(`${nthSubnet(first, 32, 0).split('/')[0] ?? ''}/${prefix}`);
    if (range !== undefined && own.every((cidr) => contains(range, cidr)))
      return nthSubnet(range, prefix, 0);
  }
  return undefined;
}
