/**
 * Goal: what a sweep of faults once found broken stays mended. Each case is the counter-example as it
 * was found or as small as it got, with what a run must come to under it.
 */
import { describe, expect, it } from 'vitest';
import { rehearseCase } from '../../src/cli/faults/judge.ts';
import { sweepNodesOf } from '../../src/cli/faults/sweep.ts';
import { planFor } from '../../src/cli/rehearsal-session.ts';
import type { ClusterInput } from '../../src/model/cluster-input.ts';
import type { NodeStrategy } from '../../src/model/plan.ts';
import type { SweepOutcome } from '../../src/model/fault-sweep.ts';
import { readStrike } from '../../src/twin/faults/fault-text.ts';
import { postMortemInput } from '../support/post-mortem-input.ts';
import { rke2 } from '../support/rke2.ts';
import { k3s, kubeadm, read } from '../support/snapshots.ts';

interface Found {
  readonly what: string;
  /** The post-mortem's when absent. */
  readonly cluster?: () => ClusterInput;
  readonly seed: number;
  readonly faults: readonly string[];
  readonly strategy?: NodeStrategy;
  readonly outcomes: readonly SweepOutcome[];
  /** Of the pod that is away longest. */
  readonly outageSecondsMax?: number;
}

const FOUND: readonly Found[] = [
  {
    what: 'a worker joins and is taken away before it was taken in: nobody waits for its paths',
    seed: 16,
    faults: ['autoscaler-adds-node@move-nodes/talos-wrk-02/restart-pods,stays=0,for=78'],
    outcomes: ['clean'],
  },
  {
    what: 'the only open node is removed: the others are opened, and its pods have somewhere to go',
    seed: 54,
    faults: ['node-removed@install-secondary/node-config+30,node=talos-wrk-01'],
    outcomes: ['stopped'],
    outageSecondsMax: 300,
  },
  {
    what: 'a webhook is away while pods are evicted: what it refused is made once it is back',
    seed: 1,
    faults: ['webhook-down@move-nodes/talos-wrk-02/restart-pods,for=180'],
    outcomes: ['clean'],
    outageSecondsMax: 400,
  },
  {
    what: 'a partition while volumes move: the run that goes on moves those that moved before too',
    seed: 100_082,
    faults: ['partition@move-nodes/talos-wrk-02/restart-pods,for=1800'],
    outcomes: ['resumed'],
  },
  {
    what: 'a node is lost just before another reboots: no volume loses its last copy',
    seed: 5187,
    faults: [
      'node-lost@move-nodes/talos-cp-02/label,node=talos-wrk-01,back=60',
      'etcd-member-lost@move-nodes/wave-02/verify,node=talos-cp-01,back=600',
    ],
    strategy: 'reboot',
    outcomes: ['clean', 'resumed'],
  },
  {
    what: 'a node is lost for a minute between waves: the next wave waits for it',
    seed: 2063,
    faults: ['node-lost@move-nodes/wave-03/hold+9,node=talos-cp-02,back=60'],
    outcomes: ['clean'],
  },
  {
    what: 'a finalizer that nobody takes away: the pod is replaced, and the run ends',
    seed: 100_006,
    faults: ['drain-blocked@move-nodes/talos-wrk-02/restart-agent+16,node=talos-wrk-02,for=0'],
    outcomes: ['clean', 'stopped'],
  },
  {
    what: 'an eviction was granted before a lost node was known: that is no breach of a budget',
    seed: 30,
    faults: ['node-lost@move-nodes/talos-wrk-04/open,node=talos-wrk-03,back=60'],
    outcomes: ['clean', 'resumed'],
  },
  {
    what: 'a node comes back while kube-proxy is replaced: its pods return in their own time',
    seed: 200_008,
    faults: ['node-lost@replace-kube-proxy/wave-03/verify,node=talos-wrk-03,back=600'],
    outcomes: ['clean', 'resumed'],
  },
  {
    what: 'a node is removed with its pods: no budget was breached by us',
    seed: 300_160,
    faults: ['node-removed@move-nodes/wave-06/hold+13,node=talos-wrk-03'],
    outcomes: ['stopped'],
  },
  {
    what: 'a node has just died for good when another is moved: no copy of a volume is taken down before Longhorn knows',
    seed: 795_445_793,
    faults: ['node-lost@move-nodes/talos-wrk-04/verify+31,node=talos-wrk-04,back=0'],
    outcomes: ['stopped'],
  },
  {
    what: 'a node is lost while another is drained: that one reboots when its copies are elsewhere again',
    seed: 995_450_576,
    faults: ['node-lost@move-nodes/talos-wrk-01/restart-pods,node=talos-cp-02,back=60'],
    strategy: 'reboot',
    outcomes: ['clean'],
  },
  {
    what: 'a fault strikes after the end: what it leaves is judged when it is over',
    seed: 995_450_240,
    faults: [
      'clock-skew@prepare/back-up,behind=61,for=1800',
      'agent-crashes@replace-kube-proxy/wave-07/verify+100,node=talos-cp-01,for=1800',
    ],
    outcomes: ['clean'],
  },
  {
    what: 'a controller was refused for half an hour: it tries again in its own time, and the run goes on',
    seed: 995_451_825,
    faults: [
      'webhook-down@move-nodes/talos-wrk-01/open,for=1800',
      'webhook-down@install-secondary/node-config,for=1800',
    ],
    strategy: 'sandbox-restart',
    outcomes: ['resumed'],
  },
  {
    what: 'a reconciler takes back what agents read when they start, and kube-proxy is gone: a run that goes on mends it',
    seed: 51_000_729,
    faults: ['gitops-reverts@move-nodes/talos-wrk-01/verify+43,every=600,for=60'],
    outcomes: ['clean', 'resumed'],
  },
  {
    what: 'the same, just before kube-proxy goes',
    seed: 51_000_729,
    faults: ['gitops-reverts@replace-kube-proxy/talos-proxy-off,every=5,for=10'],
    outcomes: ['clean', 'resumed'],
  },
  {
    what: 'nobody answers for two minutes, and a node is lost meanwhile: its Ready is from before',
    seed: 51_004_817,
    faults: [
      'api-hangs@move-nodes/wave-04/hold,for=120',
      'node-lost@move-nodes/wave-03/verify+25,node=talos-wrk-03,back=0',
    ],
    outcomes: ['stopped'],
  },
  {
    what: 'pods were refused for half an hour and the run has stopped: they are late, not away',
    seed: 51_000_436,
    faults: ['webhook-down@move-nodes/talos-cp-01/restart-pods,for=1800'],
    outcomes: ['clean', 'resumed', 'stopped'],
  },
  {
    what: 'K3s: a reconciler puts the agents back where they wrote before: a run that goes on tells them again',
    cluster: () => read(k3s(), REPLACES_PROXY),
    seed: 1103,
    faults: ['gitops-reverts@install-secondary/node-config,every=5,for=900'],
    outcomes: ['resumed'],
  },
  {
    what: 'K3s: the same while a node is moved',
    cluster: () => read(k3s(), REPLACES_PROXY),
    seed: 1103,
    faults: ['gitops-reverts@move-nodes/k3s-agt-2/restart-agent+10,every=60,for=900'],
    outcomes: ['clean', 'resumed'],
  },
  {
    what: 'K3s: a reconciler puts settings back that kube-proxy’s end needs: agents read them again before a run goes on',
    cluster: () => read(k3s(), REPLACES_PROXY),
    seed: 5121,
    faults: ['gitops-reverts@replace-kube-proxy/node-config+20,every=60,for=900'],
    outcomes: ['clean', 'resumed'],
  },
  {
    what: 'RKE2: the same, and a node that was away meanwhile',
    cluster: () => read(rke2(), REPLACES_PROXY),
    seed: 5204,
    faults: [
      'node-lost@replace-kube-proxy/values,node=k8s-worker-2,back=60',
      'gitops-reverts@install-secondary/node-config,every=5,for=900',
    ],
    outcomes: ['resumed'],
  },
  {
    what: 'RKE2: the only member of etcd is gone for good: what waited for the API server is not ours',
    cluster: () => read(rke2()),
    seed: 1081,
    faults: ['etcd-member-lost@remove-old-cni/delete-canal,node=k8s-master-1,back=0'],
    outcomes: ['stopped'],
  },
  {
    what: 'RKE2: the only server is taken away: likewise',
    cluster: () => read(rke2(), REPLACES_PROXY),
    seed: 2059,
    faults: ['node-removed@prepare/back-up+7,node=k8s-master-1'],
    outcomes: ['stopped'],
  },
  {
    what: 'kubeadm: the only member of etcd is gone for good: likewise',
    cluster: () => read(kubeadm()),
    seed: 1195,
    faults: ['etcd-member-lost@prepare/back-up+35,node=k8s-master-1,back=0'],
    outcomes: ['stopped'],
  },
  {
    what: 'a node is removed with its copies as another’s are about to go down: Longhorn must know first',
    seed: 73_002_050,
    faults: ['node-removed@move-nodes/talos-cp-02/restart-pods,node=talos-wrk-01'],
    outcomes: ['clean', 'resumed', 'stopped'],
  },
  {
    what: 'RKE2: a machine that is taken away is not switched on again',
    cluster: () => read(rke2(), REPLACES_PROXY),
    seed: 795_468_551,
    faults: [
      'node-removed@clean-up/k8s-master-1/labels+12,node=k8s-master-1',
      'node-stays-down@move-nodes/k8s-worker-2/restart-agent+8,node=k8s-master-1,back=600',
    ],
    outcomes: ['clean', 'resumed', 'stopped'],
  },
  {
    what: 'kubeadm: one node is left, and has one of two replicas that keep apart',
    cluster: () => read(kubeadm()),
    seed: 795_468_593,
    faults: [
      'node-removed@move-nodes/k8s-worker-2/restart-pods,node=k8s-worker-2',
      'node-removed@install-secondary/node-config,node=k8s-worker-1',
    ],
    outcomes: ['clean', 'resumed', 'stopped'],
  },
];

const REPLACES_PROXY = `
kubeProxyReplacement: true
ipam: {operator: {clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]}}
`;

describe('what sweeps found', () => {
  it.each(FOUND)('$what', async (found) => {
    const { cluster = postMortemInput, seed, faults, strategy, outcomes, outageSecondsMax } = found;
    const input = cluster();
    const { plan } = planFor(input, strategy === undefined ? {} : { strategy });
    const nodes = sweepNodesOf(input).map(({ name }) => name);
    const strikes = faults.map((text) => readStrike(text, plan, nodes));
    const result = await rehearseCase({ input, plan, seed, strikes }, 0);
    expect(result.broke).toEqual([]);
    expect(outcomes).toContain(result.outcome);
    expect(result.struck).toBe(true);
    expect(result.podOutageSeconds).toBeLessThan(outageSecondsMax ?? Infinity);
  });
});
