/**
 * Goal: what kubectl and talosctl print of real clusters is enough for a plan that ends well on their
 * twin; what is missing is said, with the command that tells it; what cannot be done is refused.
 */
import { describe, expect, it } from 'vitest';
import { planFor, rehearse } from '../src/cli/rehearsal-session.ts';
import { oneCluster } from '../src/intake/one-cluster.ts';
import { readInput } from '../src/intake/read-input.ts';
import type { ClusterInput } from '../src/model/cluster-input.ts';
import type { Rehearsal } from '../src/model/rehearsal.ts';
import type { Runbook } from '../src/model/runbook.ts';
import {
  asPrinted,
  gone,
  homeLab,
  kubeadm,
  onOneNode,
  read,
  type Snapshot,
  without,
  withNodes,
  withPods,
  withStatus,
} from './support/snapshots.ts';

const TARGET = 'kubeProxyReplacement: true\nhubble: {relay: {enabled: true}}\n';

async function planned(input: ClusterInput): Promise<Rehearsal> {
  const { rehearsal } = await rehearse({ input, plan: planFor(input).plan });
  return rehearsal;
}

function refusal(snapshot: Snapshot): string {
  try {
    planFor(read(snapshot, TARGET));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'a plan was made';
}

const COMMANDS: Runbook = {
  apiVersion: 'regauge.dev/v1',
  kind: 'Runbook',
  steps: [{ wait: { seconds: 400 } }],
};

/** What was assumed, by what it is about. */
function assumed({ assumptions }: Rehearsal): readonly string[] {
  return assumptions.map(({ about }) => about);
}

describe('a home lab on Talos, as kubectl and talosctl print it', () => {
  it('ends clean, and nothing is assumed but what was not given', async () => {
    const rehearsal = await planned(oneCluster(readInput(asPrinted('talos-home-lab'))));
    expect([rehearsal.outcome, rehearsal.failures, rehearsal.failedSteps]).toEqual([
      'clean',
      [],
      [],
    ]);
    expect(rehearsal.summary).toMatchObject({ nodes: 3, podsStuck: 0, maxRestartsPerPod: 1 });
    expect(assumed(rehearsal)).toEqual([
      '/etc/cni/net.d on 3 nodes',
      'PodDisruptionBudgets',
      'network policies',
      'admission webhooks',
      'PersistentVolumes',
    ]);
    expect(rehearsal.assumptions.every(({ command }) => command !== undefined)).toBe(true);
  });

  it.each([
    ['machine configs', { ...homeLab(), files: {} }, ['machine config of 3 nodes']],
    ['DaemonSets', without(homeLab(), 'DaemonSet'), ['2 DaemonSets that pods name as their owner']],
    [
      'everything but nodes and pods',
      {
        objects: homeLab().objects.filter(({ kind }) => kind === 'Node' || kind === 'Pod'),
        files: {},
      },
      [
        'machine config of 3 nodes',
        '2 ReplicaSets that pods name as their owner',
        '1 StatefulSet that pods name as their owner',
        '2 DaemonSets that pods name as their owner',
        'ConfigMap kube-system/kube-flannel-cfg',
        'Services',
      ],
    ],
  ])('ends clean without %s, and says what it took instead', async (_what, snapshot, about) => {
    const rehearsal = await planned(read(snapshot, TARGET));
    expect([rehearsal.outcome, rehearsal.failures]).toEqual(['clean', []]);
    expect(assumed(rehearsal)).toEqual(expect.arrayContaining([...about]));
  });

  it('counts an object once that is in several files', async () => {
    const twice = asPrinted('talos-home-lab').flatMap(({ path, text }) => [
      { path, text },
      { path: `again-${path}`, text },
    ]);
    const rehearsal = await planned(oneCluster(readInput(twice)));
    expect([rehearsal.outcome, rehearsal.summary.nodes]).toEqual(['clean', 3]);
  });

  it('moves a single node with its only etcd voter', async () => {
    const rehearsal = await planned(read(onOneNode(homeLab(), 'kube01'), TARGET));
    expect([rehearsal.outcome, rehearsal.failures]).toEqual(['clean', []]);
    expect(rehearsal.summary).toMatchObject({ nodes: 1, maxRestartsPerPod: 1 });
  });

  it('keeps a workload failing that failed before, and does not count it as harm', async () => {
    const unready = withStatus(homeLab(), 'whoami', { replicas: 2, unavailableReplicas: 2 });
    const snapshot = withPods(unready, (pod) =>
      pod.metadata.labels?.['app'] === 'whoami'
        ? {
            ...pod,
            status: {
              ...pod.status,
              conditions: [{ type: 'Ready', status: 'False' }],
              containerStatuses: [
                {
                  name: 'whoami',
                  ready: false,
                  restartCount: 213,
                  state: { waiting: { reason: 'CrashLoopBackOff' } },
                },
              ],
            },
          }
        : pod,
    );
    const rehearsal = await planned(read(snapshot, TARGET));
    expect([rehearsal.outcome, rehearsal.summary.podsStuck]).toEqual(['clean', 0]);
    expect(assumed(rehearsal)).toContainEqual(expect.stringMatching(/^2 pods that failed before/));
  });
});

describe('what no plan is made for', () => {
  it('is said with what to do: a node that is gone', () => {
    const snapshot = withNodes(homeLab(), (node) =>
      node.metadata.name === 'kube03' ? gone(node) : node,
    );
    expect(refusal(snapshot)).toContain('kube03 is not Ready');
  });

  it('is rehearsed all the same with commands of one’s own, the node staying down', async () => {
    const snapshot = withNodes(homeLab(), (node) =>
      node.metadata.name === 'kube03' ? gone(node) : node,
    );
    const { rehearsal } = await rehearse({ input: read(snapshot), runbook: COMMANDS });
    const states = rehearsal.nodeHistories.map(({ node, spans }) => [node, spans.at(-1)?.state]);
    expect(Object.fromEntries(states)).toMatchObject({ kube02: 'ready', kube03: 'down' });
  });

  it('leaves Windows nodes out of the twin, with their pods', async () => {
    const snapshot = withNodes(homeLab(), (node) => {
      if (node.metadata.name !== 'kube03') return node;
      const nodeInfo = { ...node.status.nodeInfo, operatingSystem: 'windows' };
      return { ...node, status: { ...node.status, nodeInfo } };
    });
    expect(refusal(snapshot)).toContain('no agent for kube03');
    const { rehearsal } = await rehearse({ input: read(snapshot), runbook: COMMANDS });
    expect(rehearsal.summary.nodes).toBe(2);
    expect(assumed(rehearsal)).toContain('Windows node kube03');
  });

  it('is a migration that something else began', () => {
    const { objects, files } = homeLab();
    const flannel = objects.find(({ metadata }) => metadata.name === 'kube-flannel');
    const cilium = JSON.parse(
      JSON.stringify(flannel)
        .replaceAll('ghcr.io/siderolabs/flannel:v0.26.4', 'quay.io/cilium/cilium:v1.17.4')
        .replaceAll('kube-flannel', 'cilium'),
    ) as Snapshot['objects'][number];
    expect(refusal({ objects: [...objects, cilium], files })).toContain('under way already');
  });
});

describe('a kubeadm cluster', () => {
  it.each([
    ['1.14.19', 'cilium.io/v2alpha1'],
    ['1.16.5', 'cilium.io/v2'],
    ['1.20.0', 'cilium.io/v2'],
  ])('ends clean with Cilium %s, whose node config is %s', async (version, apiVersion) => {
    const input = read(kubeadm(), TARGET, version);
    const { plan, artifacts } = planFor(input);
    expect(artifacts().find(({ path }) => path.includes('node-config'))?.text).toContain(
      `apiVersion: ${apiVersion}\nkind: CiliumNodeConfig`,
    );
    const { rehearsal } = await rehearse({ input, plan });
    expect([rehearsal.outcome, rehearsal.failures]).toEqual(['clean', []]);
  });

  it('gets a tunnel port beside 8472, and the address that kube-proxy uses', () => {
    const { decisions } = planFor(read(kubeadm(), TARGET)).plan;
    const choices = Object.fromEntries(decisions.map(({ about, choice }) => [about, choice]));
    expect(choices).toMatchObject({ tunnelPort: '8473', k8sServiceHost: '10.0.5.10:6443' });
  });
});
