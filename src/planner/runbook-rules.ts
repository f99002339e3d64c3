/** Left rules of packet filters, as a person takes them away: by what names and comments hold of their owner. */
import { BACKENDS, FAMILIES, filterProgram } from '../knowledge/packet-filter/saved-rules.ts';
import type { Action, Plan, RulesOwner } from '../model/plan.ts';

type Cleaning = Extract<Action, { readonly kind: 'clean-packet-filter' }>;

export const OWNER_TITLES = {
  flannel: 'Flannel',
  'kube-router': 'kube-router',
  calico: 'Calico',
} as const satisfies Readonly<Record<RulesOwner, string>>;

const PATTERNS = {
  flannel: 'FLANNEL-(POSTRTG|FWD)|flanneld (masq|forward)',
  'kube-router': 'KUBE-(ROUTER|NWPLCY|POD-FW)-|kube-router netpol',
  calico: 'cali[-:]',
} as const satisfies Readonly<Record<RulesOwner, string>>;

/** Where else than in iptables some of them keep what rules refer to. */
const SETS = {
  flannel: undefined,
  'kube-router': '^(inet6:)?KUBE-(SRC|DST)-',
  calico: '^cali[46]0',
} as const satisfies Readonly<Record<RulesOwner, string | undefined>>;

export function packetFilterCommands(
  { platform }: Plan,
  { owners, nftTables }: Cleaning,
): readonly string[] {
  const { namespace } = platform.release;
  const pattern = owners.map((owner) => PATTERNS[owner]).join('|');
  const sets = owners.map((owner) => SETS[owner]).filter((set) => set !== undefined);
  const programs = FAMILIES.flatMap((family) =>
    BACKENDS.map((backend) => filterProgram(family, backend)),
  ).join(' ');
  const inAgents = (script: string): string =>
    `for agent in $(kubectl -n ${namespace} get pods -l k8s-app=cilium -o name); do kubectl -n ${namespace} exec $agent -c cilium-agent -- sh -c '${script}'; done`;
  const image = `registry.k8s.io/kube-proxy:v${platform.kubernetesVersion}`;
  const transaction = nftTables
    .map((table) => `add table ${table}; delete table ${table}`)
    .join('; ');
  return [
    '# What is there, first; a line that is not of the old network has to stay, and is removed from the pattern:',
    inAgents(`for ipt in ${programs}; do $ipt-save | grep -E "${pattern}"; done`),
    '# While nothing else changes these tables:',
    inAgents(`for ipt in ${programs}; do $ipt-save | grep -vE "${pattern}" | $ipt-restore; done`),
    ...(sets.length === 0
      ? []
      : [inAgents(`ipset list -n | grep -E "${sets.join('|')}" | xargs -r -n 1 ipset destroy`)]),
    ...(nftTables.length === 0
      ? []
      : [
          `for node in $(kubectl get nodes -o name | cut -d/ -f2); do kubectl debug -n kube-system node/$node --profile=sysadmin --image=${image} -it -- nft '${transaction}'; done`,
          'kubectl delete pods -n kube-system -l app.kubernetes.io/managed-by=kubectl-debug',
        ]),
  ];
}
