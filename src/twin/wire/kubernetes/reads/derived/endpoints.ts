/** The Endpoints object that mirrors a Service's EndpointSlice (KK pkg/controller/endpoint). */
import type { KubeObject } from '../../../../../model/kubernetes.ts';
import { listOf, mapOf, textOf, type Tree, valueAt } from '../../../../../base/json-tree.ts';

const memo = new WeakMap<KubeObject, KubeObject>();

export function endpointsOf(slice: KubeObject): KubeObject {
  let endpoints = memo.get(slice);
  if (endpoints === undefined) memo.set(slice, (endpoints = build(slice)));
  return endpoints;
}

function build(slice: KubeObject): KubeObject {
  const all = listOf(mapOf(slice)['endpoints']);
  const ready = all.filter((each) => valueAt(each, 'conditions', 'ready') === true);
  const unready = all.filter((each) => valueAt(each, 'conditions', 'ready') !== true);
  const ports = listOf(mapOf(slice)['ports']).map((port) => ({ protocol: 'TCP', ...mapOf(port) }));
  const { ownerReferences: _owner, labels: _labels, ...metadata } = slice.metadata;
  const subset = {
    ...(ready.length === 0 ? {} : { addresses: ready.map(addressOf) }),
    ...(unready.length === 0 ? {} : { notReadyAddresses: unready.map(addressOf) }),
    ports,
  };
  const endpoints: KubeObject & { readonly subsets?: readonly Tree[] } = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...metadata, uid: `${metadata.uid ?? ''}-endpoints` },
    ...(all.length === 0 ? {} : { subsets: [subset] }),
  };
  return endpoints;
}

function addressOf(endpoint: unknown): Tree {
  const { addresses, nodeName, targetRef } = mapOf(endpoint);
  return {
    ip: textOf(listOf(addresses)[0]),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}
