/** ClusterIPs and node ports of Services that are created (KK pkg/registry/core/service/storage/alloc.go). */
import { nthAddress, parseAddress } from '../../../../base/cidr.ts';
import type { ServiceObject } from '../../../../model/kubernetes.ts';
import type { ObjectStore } from '../../../store/object-store.ts';
import { listOf, mapOf, textOf, type Tree } from '../../../../base/json-tree.ts';
import { without } from '../../../api/tree.ts';

/** Where no Service tells the range: the default of kubeadm and Talos. */
const DEFAULT_FIRST = '10.96.0.1';
const FIRST_NODE_PORT = 30_000;
const LAST_NODE_PORT = 32_767;

/** The spec with what the API server allocates; what `old` was given is kept. */
export function withAddresses(store: ObjectStore, spec: Tree, old?: Tree): Tree {
  const type = textOf(spec['type']) || 'ClusterIP';
  const before = mapOf(old);
  const ports = listOf(spec['ports']).map((port) => ({
    protocol: 'TCP',
    targetPort: mapOf(port)['port'],
    ...mapOf(port),
  }));
  const common: Tree = {
    sessionAffinity: 'None',
    ...without(spec, 'ports'),
    type,
    ...(ports.length === 0 ? {} : { ports }),
  };
  if (type === 'ExternalName') return common;
  const clusterIP =
    textOf(spec['clusterIP']) || textOf(before['clusterIP']) || nextClusterIp(store);
  return {
    internalTrafficPolicy: 'Cluster',
    ipFamilyPolicy: 'SingleStack',
    ipFamilies: [clusterIP.includes(':') ? 'IPv6' : 'IPv4'],
    ...common,
    ...(type === 'ClusterIP'
      ? {}
      : { externalTrafficPolicy: spec['externalTrafficPolicy'] ?? 'Cluster' }),
    clusterIP,
    clusterIPs: [clusterIP],
    ...(ports.length === 0
      ? {}
      : { ports: type === 'ClusterIP' ? ports : withNodePorts(store, ports, before) }),
  };
}

function withNodePorts(store: ObjectStore, ports: readonly Tree[], before: Tree): readonly Tree[] {
  const taken = new Set(
    store.list('Service').flatMap(({ spec }) => (spec.ports ?? []).map(({ nodePort }) => nodePort)),
  );
  const known = listOf(before['ports']).map(mapOf);
  return ports.map((port) => {
    if (port['nodePort'] !== undefined) return port;
    const same = known.find((each) => each['port'] === port['port'])?.['nodePort'];
    if (same !== undefined) return { ...port, nodePort: same };
    let nodePort = FIRST_NODE_PORT;
    while (taken.has(nodePort) && nodePort < LAST_NODE_PORT) nodePort += 1;
    taken.add(nodePort);
    return { ...port, nodePort };
  });
}

/** The first free address above the lowest that is in use: that of `default/kubernetes`. */
function nextClusterIp(store: ObjectStore): string {
  const services = store.list('Service');
  const used = new Set(services.map(({ spec }) => spec.clusterIP));
  const first = parseAddress(lowest(services) ?? DEFAULT_FIRST);
  if (first === undefined) return DEFAULT_FIRST;
  // The first sixteen are left for those who ask for one (KK: the lower band is for static ones).
  let offset = 16;
  while (used.has(nthAddress(first, offset))) offset += 1;
  return nthAddress(first, offset);
}

function lowest(services: readonly ServiceObject[]): string | undefined {
  const apiServer = services.find(
    ({ metadata }) => metadata.name === 'kubernetes' && metadata.namespace === 'default',
  );
  const any = services.find(({ spec }) => /^\d/.test(spec.clusterIP ?? ''))?.spec.clusterIP;
  return apiServer?.spec.clusterIP ?? any?.replace(/\.\d+\.\d+$/, '.0.1');
}
