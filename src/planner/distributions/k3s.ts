/**
 * K3s with its own Flannel. Flannel, kube-proxy and the policy controller are parts of its process, and the
 * runtime's directories move with Flannel (k3s:pkg/agent/config/config.go@001a6d9), so they are switched
 * off in one file beside the servers' configuration: servers first, since agents ask them at their start.
 * Those that others join go first: a server compares what must be the same everywhere when it joins
 * (k3s:pkg/cluster/bootstrap.go, compareConfig).
 */
import { cniDirectories } from '../../knowledge/distributions.ts';
import { K3S_CONFIG_DIRECTORY, K3S_CONTAINERD_CONFIG, k3sJoins } from '../../knowledge/k3s.ts';
import type { NodeFacts } from '../../model/facts.ts';
import type { DistributionAdapter, DistributionContext, ServiceChange } from './adapter.ts';
import type { Decision } from '../intent.ts';
import { k3sRefusals } from './k3s-refusals.ts';
import { FLANNEL } from './old-network.ts';

const PATH = `${K3S_CONFIG_DIRECTORY}/90-regauge.yaml`;
const ETCD_ROLE = 'node-role.kubernetes.io/etcd';

export function k3s(context: DistributionContext): DistributionAdapter {
  const { kubernetesVersion, kubeProxyPresent } = context;
  const { confDir, binDir } = cniDirectories('k3s', { bundledFlannel: false });
  return {
    directories: cniDirectories('k3s', { bundledFlannel: true, kubernetesVersion }),
    afterOldCni: { conf: confDir, bin: binDir, runtimeConfig: K3S_CONTAINERD_CONFIG },
    oldNetwork: { ...FLANNEL, rules: [...FLANNEL.rules, 'kube-router'] },
    oldCni: [],
    oldCniReturns: 'with-service',
    kubeProxy: [],
    service: (replaced) => serviceChange(context, replaced && kubeProxyPresent),
    notes: [toldInOneFile(context), ...hostPorts(context)],
    refusals: k3sRefusals(context),
  };
}

function toldInOneFile({ controlPlanes, workers }: DistributionContext): Decision {
  const services = workers.length === 0 ? 'k3s' : 'k3s and k3s-agent';
  return {
    about: 'K3s',
    choice: `told in ${PATH} on ${controlPlanes.length === 1 ? 'its server' : `its ${controlPlanes.length} servers`}; ${services} restart on every node, one after the other`,
    because:
      'Flannel, kube-proxy and the policy controller are parts of its process. Pods run on meanwhile; what installs K3s anew has to say the same, or the file has to stay',
  };
}

/** Of ServiceLB, mostly: its pods publish the ports of LoadBalancer Services. */
function hostPorts({ facts }: DistributionContext): readonly Decision[] {
  const publishing = facts.workloads.pods.filter(
    ({ value: { spec } }) =>
      spec.hostNetwork !== true &&
      spec.containers.some(({ ports = [] }) => ports.some(({ hostPort = 0 }) => hostPort > 0)),
  );
  const [first] = publishing;
  if (first === undefined) return [];
  return [
    {
      about: 'host ports',
      choice: `not served on a node from its move until Cilium replaces kube-proxy there (${publishing.length} ${publishing.length === 1 ? 'pod' : 'pods'}, for one ${first.value.metadata.namespace ?? ''}/${first.value.metadata.name})`,
      because:
        'Flannel’s conf chains portmap, Cilium’s does not, and Cilium serves host ports with kube-proxy replacement only (FM-39); let other nodes take the traffic meanwhile',
    },
  ];
}

function serviceChange(
  { controlPlanes, workers }: DistributionContext,
  proxyOff: boolean,
): ServiceChange {
  const servers = joinedFirst(controlPlanes);
  const parts = proxyOff
    ? 'Flannel, kube-proxy and its policy controller'
    : 'Flannel and its policy controller';
  const hasEtcd = controlPlanes.some(
    ({ object }) => object.metadata.labels?.[ETCD_ROLE] !== undefined,
  );
  const title = `Take ${parts} out of K3s`;
  return {
    path: PATH,
    content: `flannel-backend: none\ndisable-network-policy: true\n${proxyOff ? 'disable-kube-proxy: true\n' : ''}`,
    writtenOn: servers,
    restarts: [
      {
        service: 'k3s',
        nodes: servers,
        hasEtcd: hasEtcd && servers.length > 1,
        title,
        because:
          servers.length === 1
            ? 'K3s reads its configuration when it starts; the API is away for some seconds'
            : 'K3s reads its configuration when it starts, and agents ask a server for theirs',
      },
      ...(workers.length === 0
        ? []
        : [
            {
              service: 'k3s-agent',
              nodes: workers.map(({ name }) => name),
              hasEtcd: false,
              title,
              because: 'an agent asks a server for its configuration when it starts',
            },
          ]),
    ],
    proof: {
      path: K3S_CONTAINERD_CONFIG,
      text: cniDirectories('k3s', { bundledFlannel: true }).confDir,
      present: false,
    },
  };
}

/** A server that joins another follows it; where that is told by an address nobody has, in the order read. */
function joinedFirst(servers: readonly NodeFacts[]): readonly string[] {
  const byHost = new Map(
    servers.flatMap(({ name, internalIps }) => [name, ...internalIps].map((host) => [host, name])),
  );
  const ordered: string[] = [];
  const visit = ({ name, object }: NodeFacts, waiting: ReadonlySet<string>): void => {
    if (ordered.includes(name) || waiting.has(name)) return;
    const joined = servers.find((each) => each.name === byHost.get(k3sJoins(object) ?? ''));
    if (joined !== undefined) visit(joined, new Set([...waiting, name]));
    ordered.push(name);
  };
  for (const server of servers) visit(server, new Set());
  return ordered;
}
