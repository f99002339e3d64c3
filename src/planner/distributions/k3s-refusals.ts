/** What K3s is set up with that there are no steps for: said before anything else, each with what can be done. */
import {
  type K3sArguments,
  k3sArguments,
  k3sFlag,
  type K3sNetwork,
  k3sNetwork,
} from '../../knowledge/k3s.ts';
import type { ClusterFacts, NodeFacts } from '../../model/facts.ts';
import { evidenceAt, type Evidence, type Finding } from '../../model/finding.ts';
import { refusal } from '../refusal.ts';
import type { DistributionContext } from './adapter.ts';

interface Started {
  readonly node: NodeFacts;
  readonly args: K3sArguments;
}

const SHOW_ARGUMENTS =
  "kubectl get nodes -o custom-columns='NAME:.metadata.name,ARGS:.metadata.annotations.k3s\\.io/node-args'";

export function k3sRefusals({
  facts,
  controlPlanes,
  workers,
}: DistributionContext): readonly Finding[] {
  const started = [...controlPlanes, ...workers].flatMap((node): readonly Started[] => {
    const args = k3sArguments(node.object);
    return args === undefined ? [] : [{ node, args }];
  });
  const servers = started.filter(({ args }) => args.role === 'server');
  const untold = controlPlanes.find(({ name }) => !servers.some(({ node }) => node.name === name));
  if (untold !== undefined || servers.length === 0) return [argumentsUnknown(untold)];
  return [
    serversDiffer(servers),
    otherBackend(servers),
    ownFlannel(started),
    saidAlready(servers),
    otherPlaces(started),
    otherRuntime(started),
    enforcedPolicies(facts, servers),
  ].filter((finding) => finding !== undefined);
}

function argumentsUnknown(server: NodeFacts | undefined): Finding {
  return refusal({
    id: 'k3s-arguments-unknown',
    covers: ['FM-49'],
    title: 'What K3s was started with is not known',
    message: `Whether Flannel, kube-proxy and the policy controller run in K3s is told by the annotation k3s.io/node-args of its servers${server === undefined ? ', and no server was read' : `, which ${server.name} does not have`}.`,
    fix: 'Add the Node objects as the cluster has them, with their annotations.',
    command: 'kubectl get nodes -o yaml',
    ...(server === undefined ? {} : { evidence: [evidenceAt(server.source, server.name)] }),
  });
}

const SAME: readonly (keyof K3sNetwork)[] = [
  'flannelBackend',
  'kubeProxy',
  'networkPolicy',
  'clusterCidr',
  'serviceCidr',
];

/** One of them was changed and not restarted, or changed alone: which of them counts is a matter of luck. */
function serversDiffer(servers: readonly Started[]): Finding | undefined {
  const [first, ...others] = servers;
  if (first === undefined) return undefined;
  const wanted = k3sNetwork(first.args);
  const other = others.find(({ args }) => {
    const own = k3sNetwork(args);
    return SAME.some((key) => own[key] !== wanted[key]);
  });
  if (other === undefined) return undefined;
  return refusal({
    id: 'k3s-servers-differ',
    covers: ['FM-49'],
    title: `${first.node.name} and ${other.node.name} were started with different networks`,
    message:
      'Agents take what the server says that they happen to ask. Before a plan is made all servers must say the same.',
    fix: 'Bring the servers’ configurations together and restart those that differ, one after the other.',
    command: SHOW_ARGUMENTS,
    evidence: evidenceOf([first, other]),
    references: ['k3s:pkg/daemons/config/types.go (CriticalControlArgs)'],
  });
}

function otherBackend(servers: readonly Started[]): Finding | undefined {
  const other = servers.find(
    ({ args }) => !['vxlan', 'none'].includes(k3sNetwork(args).flannelBackend),
  );
  if (other === undefined) return undefined;
  const { flannelBackend } = k3sNetwork(other.args);
  return refusal({
    id: 'k3s-backend-unsupported',
    covers: ['FM-49'],
    title: `Flannel runs with ${flannelBackend}, and plans are made for vxlan so far`,
    message:
      'The two networks meet in the hosts’ routing while nodes move one by one. That was seen to work with the vxlan backend; with others routes, keys and MTU are different.',
    fix: 'Stay with what is there, or change the backend to vxlan first and restart all nodes.',
    command: SHOW_ARGUMENTS,
    evidence: evidenceOf([other]),
    references: ['k3s:pkg/agent/flannel/setup.go@05f0cdf'],
  });
}

/** Each replaces what the plan takes for given: the conf's name and text, Flannel's network, addresses between nodes. */
const OWN_FLANNEL = [
  'flannel-conf',
  'flannel-cni-conf',
  'flannel-external-ip',
  'vpn-auth',
  'vpn-auth-file',
];

function ownFlannel(started: readonly Started[]): Finding | undefined {
  return flagged(started, OWN_FLANNEL, {
    id: 'k3s-flannel-of-own',
    title: 'K3s runs Flannel with settings of somebody’s own',
    message: 'The plan knows the conf and the network that K3s writes by itself.',
    fix: 'Take the setting back and restart the node’s service, or follow the documented procedure.',
  });
}

/** The command line wins over files, and the arguments do not show where one came from (docs.k3s.io). */
const SAID_BY_PLAN = ['flannel-backend', 'disable-network-policy', 'disable-kube-proxy'];

function saidAlready(servers: readonly Started[]): Finding | undefined {
  const against = servers.filter(({ args }) =>
    SAID_BY_PLAN.some((flag) => ['vxlan', 'false'].includes(k3sFlag(args, flag) ?? '')),
  );
  return flagged(against, SAID_BY_PLAN, {
    id: 'k3s-setting-in-the-way',
    title: 'A setting of K3s could win over the plan’s',
    message:
      'It says the default aloud. On the command line of the service it would win over the file that the plan writes, and K3s would start with Flannel again.',
    fix: 'Take it out of the service’s command line and of config.yaml (it is the default), restart the servers one after the other, and read the cluster again.',
  });
}

const OTHER_PLACES = ['data-dir', 'd', 'config', 'c', 'rootless'];

function otherPlaces(started: readonly Started[]): Finding | undefined {
  const elsewhere = flagged(started, OTHER_PLACES, {
    id: 'k3s-other-places',
    title: 'K3s keeps its data or its configuration elsewhere',
    message:
      'Conf, plugins, containerd’s configuration and the file that switches Flannel off lie where that says, and the plan knows the usual places.',
    fix: 'Follow the documented procedure with those places.',
  });
  if (elsewhere !== undefined) return elsewhere;
  const other = started.find(({ node }) =>
    /"K3S_(CONFIG_FILE|ROOTLESS)"/.test(
      node.object.metadata.annotations?.['k3s.io/node-env'] ?? '',
    ),
  );
  if (other === undefined) return undefined;
  return refusal({
    id: 'k3s-other-places',
    covers: ['FM-49'],
    title: 'K3s keeps its data or its configuration elsewhere',
    message: `The environment of ${other.node.name} names another configuration, and the directory beside it moves with it.`,
    fix: 'Follow the documented procedure with those places.',
    command:
      "kubectl get nodes -o custom-columns='NAME:.metadata.name,ENV:.metadata.annotations.k3s\\.io/node-env'",
    evidence: [
      evidenceAt(
        { ...other.node.source, path: 'metadata.annotations["k3s.io/node-env"]' },
        other.node.name,
      ),
    ],
  });
}

function otherRuntime(started: readonly Started[]): Finding | undefined {
  return flagged(started, ['docker', 'container-runtime-endpoint'], {
    id: 'k3s-other-runtime',
    title: 'K3s uses a container runtime that it does not bring',
    message:
      'Where that runtime looks for confs is not told by what K3s writes for its own containerd.',
    fix: 'Follow the documented procedure with that runtime’s directories.',
  });
}

/**
 * Its rules stay when it is switched off (docs.k3s.io, Network Policy Controller); the plan takes them away
 * once nothing writes them. What is not solved is the time before, in which it and Cilium would both judge.
 */
function enforcedPolicies(
  { workloads }: ClusterFacts,
  servers: readonly Started[],
): Finding | undefined {
  const [server] = servers;
  const policies = workloads.policies.filter(({ value }) => value.kind === 'NetworkPolicy');
  const [policy] = policies;
  if (server === undefined || policy === undefined || !k3sNetwork(server.args).networkPolicy)
    return undefined;
  return refusal({
    id: 'k3s-policies-enforced',
    covers: ['FM-14'],
    title: `K3s enforces ${policies.length === 1 ? 'a NetworkPolicy' : `${policies.length} NetworkPolicies`}, and leaves its rules behind`,
    message:
      'Its rules judge every pod of a node, also those that Cilium carries, and write the bits 0x10000 and 0x20000 of packets’ marks, where Cilium keeps whom a packet is from: while both judge, each spoils the other’s verdicts. Its rules stay when it is switched off.',
    fix: 'Switch the controller off first (disable-network-policy: true on every server, restart one after the other) and clean its rules on every node, or boot it (iptables-save | grep -vE "KUBE-(ROUTER|NWPLCY|POD-FW)-|kube-router netpol" | iptables-restore), knowing that policies are not enforced until Cilium does.',
    command: 'kubectl get networkpolicies -A',
    evidence: [evidenceAt(policy.source, policy.value.metadata.name)],
    references: [
      'k3s:pkg/agent/netpol/netpol.go@0589157',
      'kube-router:pkg/controllers/netpol/pod.go@v2.2.1',
      'cilium:bpf/lib/common.h (MARK_MAGIC_IDENTITY)',
    ],
  });
}

function flagged(
  started: readonly Started[],
  flags: readonly string[],
  words: Pick<Finding, 'title' | 'message'> & { readonly id: string; readonly fix: string },
): Finding | undefined {
  for (const each of started) {
    const flag = flags.find(
      (name) => each.args.flags.has(name) && k3sFlag(each.args, name) !== 'none',
    );
    if (flag === undefined) continue;
    return refusal({
      ...words,
      covers: ['FM-49'],
      message: `${each.node.name} was started with --${flag} ${k3sFlag(each.args, flag) ?? ''}. ${words.message}`,
      command: SHOW_ARGUMENTS,
      evidence: evidenceOf([each]),
      references: ['k3s:pkg/cli/cmds/server.go', 'k3s:pkg/cli/cmds/agent.go'],
    });
  }
  return undefined;
}

function evidenceOf(started: readonly Started[]): readonly Evidence[] {
  return started.map(({ node }) =>
    evidenceAt({ ...node.source, path: 'metadata.annotations["k3s.io/node-args"]' }, node.name),
  );
}
