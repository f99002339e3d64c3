/**
 * An address of the API server that needs no Service: the one kube-proxy itself is given, else the
 * one the cluster was made with. Cilium's agents need it before kube-proxy may go (FM-06).
 */
import type { Source } from '../../base/source.ts';
import { distributionOfNode } from '../../knowledge/distributions.ts';
import { RKE2_LOCAL_API } from '../../knowledge/rke2.ts';
import { known, unknown } from '../../model/fact.ts';
import type { Fact } from '../../model/fact.ts';
import type { ApiEndpoint, MachineConfigFacts } from '../../model/facts.ts';
import type { NodeObject } from '../../model/kubernetes.ts';
import { isTable } from '../intake.ts';
import { parsed } from './embedded-yaml.ts';
import { K3S_LOCAL_API } from '../../knowledge/k3s.ts';
import type { K3sServer } from './k3s-facts.ts';
import { dataOf } from './object-index.ts';
import type { ObjectIndex } from './object-index.ts';

export function apiEndpoint(
  index: ObjectIndex,
  machineConfigs: readonly MachineConfigFacts[],
  k3s: K3sServer | undefined,
): Fact<ApiEndpoint> {
  return (
    kubeProxyServer(index) ??
    kubeadmEndpoint(index) ??
    rke2Endpoint(index) ??
    machineConfigs.map(talosEndpoint).find((fact) => fact !== undefined) ??
    ofK3s(k3s) ??
    unknown(
      'an address of the API server that needs no Service',
      'kubectl get configmap -n kube-system kube-proxy -o yaml',
    )
  );
}

/** Another port for it was chosen with `--lb-server-port`, on each node for itself. */
function ofK3s(server: K3sServer | undefined): Fact<ApiEndpoint> | undefined {
  if (server === undefined) return undefined;
  return server.args.flags.has('lb-server-port') ? undefined : known(K3S_LOCAL_API, server.source);
}

function kubeProxyServer(index: ObjectIndex): Fact<ApiEndpoint> | undefined {
  const map = index.find('ConfigMap.', 'kube-system', 'kube-proxy');
  const value = parsed(dataOf(map, 'kubeconfig.conf'));
  const clusters: unknown = isTable(value) ? value['clusters'] : undefined;
  const first: unknown = Array.isArray(clusters) ? clusters[0] : undefined;
  const cluster = isTable(first) ? first['cluster'] : undefined;
  const server = isTable(cluster) ? cluster['server'] : undefined;
  return map === undefined
    ? undefined
    : endpointOf(server, { ...map.source, path: 'data["kubeconfig.conf"]' });
}

function kubeadmEndpoint(index: ObjectIndex): Fact<ApiEndpoint> | undefined {
  const map = index.find('ConfigMap.', 'kube-system', 'kubeadm-config');
  const value = parsed(dataOf(map, 'ClusterConfiguration'));
  const endpoint = isTable(value) ? value['controlPlaneEndpoint'] : undefined;
  return map === undefined
    ? undefined
    : endpointOf(endpoint, { ...map.source, path: 'data.ClusterConfiguration' });
}

/** A server answers there itself, an agent's balancer for all of them. */
function rke2Endpoint(index: ObjectIndex): Fact<ApiEndpoint> | undefined {
  const node = index
    .of('Node.')
    .find(({ object }) => distributionOfNode(object as NodeObject) === 'rke2'); // indexed by kind
  return node === undefined ? undefined : known(RKE2_LOCAL_API, node.source);
}

function talosEndpoint({
  controlPlaneEndpoint,
}: MachineConfigFacts): Fact<ApiEndpoint> | undefined {
  return controlPlaneEndpoint.known
    ? endpointOf(controlPlaneEndpoint.value, controlPlaneEndpoint.source)
    : undefined;
}

/** `https://10.0.0.10:6443`, or without scheme or port, as kubeadm takes it. */
function endpointOf(text: unknown, source: Source): Fact<ApiEndpoint> | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  const match = /^(?:https:\/\/)?(\[[^\]]+\]|[^:/]+)(?::(\d+))?\/?$/.exec(text);
  const host = match?.[1];
  if (host === undefined) return undefined;
  return known({ host, port: Number(match?.[2] ?? 6443) }, source);
}
