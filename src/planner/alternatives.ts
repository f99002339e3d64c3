/**
 * What the planner could have chosen instead: for whoever looks for a plan that ends better. Each is a
 * change of what a person wants, by the flag that says so.
 */
import { parseCidr } from '../base/cidr.ts';
import { isTable, valueAt } from '../knowledge/cilium-chart/values.ts';
import type { ClusterFacts } from '../model/facts.ts';
import type { PlanChange } from '../model/fix-search.ts';
import type { NodeStrategy } from '../model/plan.ts';
import { defaultFor } from './choose-version.ts';
import type { Intent } from './intent.ts';
import { choosePool, takenRanges } from './pool.ts';
import { type Notes, type Situation, situationOf } from './situation.ts';

const STRATEGIES: Readonly<Record<NodeStrategy, string>> = {
  'evict-in-place': 'pods move once, within their budgets, and no node reboots',
  'sandbox-restart': 'pods restart where they are: nothing needs room elsewhere',
  reboot: 'pods start on a node that came up with nothing but the new network',
};

/** Empty where the cluster is not known well enough for any plan. */
export function alternatives(facts: ClusterFacts, intent: Intent): readonly PlanChange[] {
  const notes: Notes = { decisions: [], refusals: [] };
  const situation = situationOf(facts, intent, notes);
  if (situation === undefined) return [];
  return [
    ...strategies(intent),
    ...waves(situation, intent),
    ...pools(situation, intent),
    ...versions(situation, intent),
    ...keepKubeProxy(situation),
  ];
}

function strategies({ strategy = 'evict-in-place' }: Intent): readonly PlanChange[] {
  return Object.entries(STRATEGIES).flatMap(([name, because]) =>
    name === strategy
      ? []
      : [
          {
            id: `strategy-${name}`,
            about: 'strategy',
            change: `strategy ${name} instead of ${strategy}`,
            because,
            flag: ['--strategy', name] as const,
          },
        ],
  );
}

function waves({ workers }: Situation, { waveSize }: Intent): readonly PlanChange[] {
  if (waveSize === 1 || workers.length < 2) return [];
  return [
    {
      id: 'wave-size-1',
      about: 'wave size',
      change: 'one node at a time',
      because: 'what goes wrong on a node finds all others at rest',
      flag: ['--wave-size', '1'],
    },
  ];
}

function pools(situation: Situation, { poolCidr }: Intent): readonly PlanChange[] {
  const [old] = situation.podCidrs.map(parseCidr);
  const free = choosePool(old, situation.nodes.length, takenRanges(situation));
  if (free === undefined || free === poolCidr) return [];
  return [
    {
      id: 'pool',
      about: 'pool',
      change: `pod pool ${free}`,
      because: 'it overlaps nothing that was read, and holds every node',
      flag: ['--pool-cidr', free],
    },
  ];
}

function versions(
  { target, kubernetesVersion }: Situation,
  { chartVersion }: Intent,
): readonly PlanChange[] {
  const told = target?.chartVersion.known === true ? target.chartVersion.value : chartVersion;
  const usual = defaultFor(kubernetesVersion);
  if (told === undefined || told.replace(/^v/, '') === usual) return [];
  return [
    {
      id: 'cilium-version',
      about: 'Cilium version',
      change: `Cilium ${usual} instead of ${told}`,
      because: `of the supported lines it is the first that is tested with Kubernetes ${kubernetesVersion}`,
      flag: ['--cilium-version', usual],
    },
  ];
}

/** Only where somebody wants it replaced, in a file that can be changed. */
function keepKubeProxy({ kubeProxyPresent, target }: Situation): readonly PlanChange[] {
  const values = target?.values.value;
  const file = target?.source.file;
  if (!kubeProxyPresent || file === undefined || !isTable(values)) return [];
  if (String(valueAt(values, 'kubeProxyReplacement') ?? 'false') === 'false') return [];
  const masquerade =
    valueAt(values, 'bpf.masquerade') === true ? 'bpf:\n  masquerade: false\n' : '';
  return [
    {
      id: 'keep-kube-proxy',
      about: 'kube-proxy',
      change: 'kube-proxy stays, and is replaced by a change of its own later',
      because: 'one change less to go wrong in the same go',
      patch: { file, yaml: `kubeProxyReplacement: false\n${masquerade}` },
    },
  ];
}
