/**
 * RKE2 with Canal. A server that starts with `cni: none` deletes Canal's HelmChart, and the helm controller
 * uninstalls it; with `disable-kube-proxy` no node starts kube-proxy again. So both are said in one file
 * beside the configuration, on every server before the first of them restarts: one that restarts without it
 * would deploy Canal again (k3s:pkg/deploy/controller.go@0301210).
 */
import { cniDirectories } from '../../knowledge/distributions.ts';
import {
  RKE2_CANAL,
  RKE2_CANAL_MANIFEST,
  RKE2_CONFIG_DIRECTORY,
  RKE2_PROXY_MANIFEST,
  rke2Arguments,
  rke2Network,
} from '../../knowledge/rke2.ts';
import type { ClusterFacts, NodeFacts } from '../../model/facts.ts';
import { evidenceAt, type Finding } from '../../model/finding.ts';
import { refusal } from '../refusal.ts';
import type {
  DistributionAdapter,
  DistributionContext,
  ServiceChange,
  ServiceRestart,
} from './adapter.ts';
import { CANAL } from './old-network.ts';

const PATH = `${RKE2_CONFIG_DIRECTORY}/90-regauge.yaml`;

export function rke2(context: DistributionContext): DistributionAdapter {
  return {
    directories: cniDirectories('rke2', { bundledFlannel: false }),
    afterOldCni: undefined,
    oldNetwork: CANAL,
    oldCni: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', ...RKE2_CANAL }],
    oldCniReturns: 'with-service',
    kubeProxy: [],
    service: (replaced) => serviceChange(context, replaced && context.kubeProxyPresent),
    refusals: [otherCharts(context.facts), policiesOfCalico(context.facts)].filter(
      (finding) => finding !== undefined,
    ),
  };
}

function serviceChange(
  { controlPlanes, workers }: DistributionContext,
  proxyOff: boolean,
): ServiceChange {
  const servers = joinedFirst(controlPlanes);
  const proxy = proxyOff ? { staticPod: { namespace: 'kube-system', name: 'kube-proxy' } } : {};
  // A server’s deploy controller takes it away once it has started.
  const proof = { path: RKE2_CANAL_MANIFEST, text: 'rke2-canal', present: false, ...proxy };
  const onServers: ServiceRestart = {
    service: 'rke2-server',
    nodes: servers,
    // Its static pods run on; another member may be away all the same.
    hasEtcd: servers.length > 1,
    title: proxyOff ? 'Take Canal and kube-proxy out of RKE2' : 'Take Canal out of RKE2',
    because:
      'the first server that starts so uninstalls Canal, and the others must not bring it back',
  };
  const onAgents: ServiceRestart = {
    service: 'rke2-agent',
    nodes: workers.map(({ name }) => name),
    hasEtcd: false,
    title: 'Take kube-proxy out of RKE2',
    because: 'an agent asks its server whether to run kube-proxy when it starts',
    proof: { path: RKE2_PROXY_MANIFEST, text: 'kube-proxy', present: false, ...proxy },
  };
  return {
    path: PATH,
    content: `cni: none\n${proxyOff ? 'disable-kube-proxy: true\n' : ''}`,
    writtenOn: servers,
    restarts: proxyOff && workers.length > 0 ? [onServers, onAgents] : [onServers],
    proof,
  };
}

/**
 * A server that joins another when it starts is refused where the two differ in what must be the same
 * everywhere, kube-proxy among it (k3s:pkg/cluster/bootstrap.go compareConfig): those that join come last.
 */
function joinedFirst(servers: readonly NodeFacts[]): readonly string[] {
  return servers
    .toSorted((left, right) => Number(joins(left)) - Number(joins(right)))
    .map(({ name }) => name);
}

function joins({ object }: NodeFacts): boolean {
  return rke2Arguments(object)?.flags.has('server') === true;
}

/** Multus calls the first conf by name, and the charts of other networks have other steps. */
function otherCharts({ nodes }: ClusterFacts): Finding | undefined {
  if (!nodes.known) return undefined;
  for (const { object, source, name } of nodes.value) {
    const args = rke2Arguments(object);
    if (args?.role !== 'server') continue;
    const { cni } = rke2Network(args);
    if (cni.join(',') === 'canal') continue;
    return refusal({
      id: 'rke2-charts-unsupported',
      covers: ['FM-49'],
      title: `RKE2 deploys ${cni.join(' and ')}`,
      message: `${name} was started with cni ${cni.join(', ')}. regauge knows the way from canal alone: what RKE2 deploys besides it would be taken away with the same setting, or put back.`,
      fix: 'Stay with what is there, or bring the cluster back to canal first.',
      command: `kubectl get node ${name} -o jsonpath='{.metadata.annotations.rke2\\.io/node-args}'`,
      evidence: [evidenceAt({ ...source, path: 'metadata.annotations["rke2.io/node-args"]' })],
      references: ['rke2:pkg/cli/cmds/server.go@6ce1a80'],
    });
  }
  return undefined;
}

const OF_CALICO = /^(crd\.)?projectcalico\.org\//;
const POLICIES = ['GlobalNetworkPolicy', 'NetworkPolicy', 'HostEndpoint'];

/** Canal's chart holds its definitions: uninstalling it deletes every object of them. */
function policiesOfCalico({ otherObjects, workloads }: ClusterFacts): Finding | undefined {
  const all = [
    ...otherObjects,
    ...workloads.policies.map(({ value, source }) => ({ object: value, source })),
  ];
  const found = all.filter(
    ({ object }) => OF_CALICO.test(object.apiVersion) && POLICIES.includes(object.kind),
  );
  const [first] = found;
  if (first === undefined) return undefined;
  const { kind, metadata } = first.object;
  return refusal({
    id: 'calico-policies',
    covers: ['FM-15'],
    title: `${found.length === 1 ? 'A policy' : `${found.length} policies`} of Calico’s own would be lost`,
    message: `${kind} ${metadata.name} is enforced by Canal alone. Cilium does not read it, and RKE2 deletes its definition, and it with that, when it uninstalls Canal.`,
    fix: 'Write what it says as a NetworkPolicy or a CiliumNetworkPolicy, delete it, and read the cluster again.',
    command:
      'kubectl get globalnetworkpolicies.crd.projectcalico.org,networkpolicies.crd.projectcalico.org,hostendpoints.crd.projectcalico.org -A',
    evidence: [evidenceAt(first.source, metadata.name)],
    references: ['rke2-charts:packages/rke2-canal/charts/templates/crds@262e21a'],
  });
}
