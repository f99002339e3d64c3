/**
 * Goal: the road from Canal to Cilium on RKE2, planned, rehearsed and taken back; what it cannot do is
 * refused when the plan is made. Method: the snapshot of an RKE2 cluster, its plan on its twin.
 */
import { describe, expect, it } from 'vitest';
import { planFor, play, rehearse, stageFor } from '../src/cli/rehearsal-session.ts';
import { rehearseRollbacks } from '../src/cli/rollback-rehearsal.ts';
import { RKE2_PROXY_MANIFEST } from '../src/knowledge/rke2.ts';
import type { KubeObject, PodObject } from '../src/model/kubernetes.ts';
import type { Plan } from '../src/model/plan.ts';
import { fabricOf } from '../src/twin/network/fabric.ts';
import type { World } from '../src/twin/world.ts';
import { read, type Snapshot } from './support/snapshots.ts';
import { rke2 } from './support/rke2.ts';

const KEEPS_PROXY = 'hubble: {enabled: true}\n';
const REPLACES_PROXY = 'kubeProxyReplacement: true\n';
const DROP_IN = '/etc/rancher/rke2/config.yaml.d/90-regauge.yaml';
const ALL = ['k8s-master-1', 'k8s-worker-1', 'k8s-worker-2'];

/** The database moves with the last worker; its clients are on both networks until then. */
const ONLY_FRONTEND: KubeObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'only-frontend', namespace: 'db', uid: 'uid-policy' },
  spec: {
    podSelector: {},
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'web' } },
            podSelector: { matchLabels: { app: 'frontend' } },
          },
        ],
      },
    ],
  },
} as KubeObject; // a NetworkPolicy

function refusal(snapshot: Snapshot): string {
  try {
    planFor(read(snapshot, KEEPS_PROXY));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'a plan was made';
}

function canal({ store }: World): readonly string[] {
  const names = (['HelmChart', 'DaemonSet', 'ConfigMap', 'ServiceAccount'] as const).flatMap(
    (kind) => store.list<string>(kind).map(({ metadata }) => metadata.name),
  );
  return names.filter((name) => name.includes('canal'));
}

function proxies({ store }: World): readonly string[] {
  const names = store.list('Pod').map(({ metadata }) => metadata.name);
  return names.filter((name) => name.startsWith('kube-proxy-'));
}

function policy(apiVersion: string): KubeObject {
  const metadata = { name: 'deny-metadata', uid: 'uid-deny' };
  return { apiVersion, kind: 'GlobalNetworkPolicy', metadata };
}

describe('the plan for RKE2', () => {
  it.each([
    ['kube-proxy stays', KEEPS_PROXY, 3],
    ['kube-proxy goes', REPLACES_PROXY, 0],
  ])('ends clean where %s, and Canal is gone', async (_, target, left) => {
    const input = read(rke2(), target);
    const stage = stageFor(input, 1);
    const { rehearsal } = await play(stage, { plan: planFor(input).plan });
    const { outcome, failures, failedSteps, summary } = rehearsal;
    expect([outcome, failures, failedSteps]).toEqual(['clean', [], []]);
    expect(summary.maxRestartsPerPod).toBe(1);
    const { world } = stage;
    world.kernel.runUntil(world.kernel.now() + 120_000);
    expect(canal(world)).toEqual([]);
    expect(proxies(world)).toHaveLength(left);
    const files = [...world.nodes.values()].map((node) => node.files);
    expect(files.filter((each) => each.exists(RKE2_PROXY_MANIFEST))).toHaveLength(left);
    expect(files.map((each) => each.list('/etc/cni/net.d'))).toEqual(
      ALL.map(() => ['05-cilium.conflist']),
    );
  });

  it('tells all servers before the one restarts that the others join', async () => {
    const servers = [...ALL.slice(1), 'k8s-master-1'];
    const input = read(rke2({ servers }), KEEPS_PROXY);
    const { plan } = planFor(input);
    const told = plan.steps.filter(({ kind }) => kind === 'write-node-file');
    expect(told.map(({ action }) => action)).toMatchObject([
      { nodes: [ALL[1], ALL[0], ALL[2]], path: DROP_IN, content: 'cni: none\n' },
    ]);
    const restarts = plan.steps.filter(({ kind }) => kind === 'restart-service');
    expect(restarts.map(({ nodes }) => nodes[0])).toEqual([ALL[1], ALL[0], ALL[2]]);
    expect(restarts.every(({ gates }) => gates.some(({ kind }) => kind === 'etcd-quorum'))).toBe(
      true,
    );
    const { rehearsal } = await rehearse({ input, plan });
    expect([rehearsal.outcome, rehearsal.failedSteps]).toEqual(['clean', []]);
  });

  it('reaches the API as every node of RKE2 does', () => {
    const { decisions } = planFor(read(rke2(), REPLACES_PROXY)).plan;
    const choices = Object.fromEntries(decisions.map(({ about, choice }) => [about, choice]));
    expect(choices).toMatchObject({ k8sServiceHost: '127.0.0.1:6443', tunnelPort: '8473' });
  });

  it('is as good for a cluster without kube-proxy, which stays so', async () => {
    const args = ['server', '--disable-kube-proxy', 'true'];
    const { objects, files } = rke2({ serverArgs: args });
    const rest = objects.filter(({ metadata }) => !metadata.name.startsWith('kube-proxy-'));
    const { plan } = planFor(read({ objects: rest, files }, REPLACES_PROXY));
    const told = plan.steps.find(({ kind }) => kind === 'write-node-file');
    expect(told?.action).toMatchObject({ content: 'cni: none\n' });
    expect(plan.steps.some(({ phase }) => phase === 'replace-kube-proxy')).toBe(false);
  });

  it.each([
    ['cilium', 'RKE2 deploys cilium'],
    ['multus,canal', 'RKE2 deploys multus and canal'],
    ['canal', 'a plan was made'],
  ])('is refused where a server was started with cni %s', (cni, expected) => {
    expect(refusal(rke2({ serverArgs: ['server', '--cni', cni] }))).toContain(expected);
  });

  it('is refused where policies of Calico’s own would be lost', () => {
    const own = policy('crd.projectcalico.org/v1');
    expect(refusal(rke2({ objects: [own] }))).toContain('policy of Calico’s own would be lost');
    expect(refusal(rke2({ objects: [policy('example.org/v1')] }))).toBe('a plan was made');
  });

  it('takes policies of Calico’s own for none only where their kind was read', () => {
    const input = read(rke2(), KEEPS_PROXY);
    const about = (listed: readonly string[]): readonly string[] =>
      planFor({ ...input, kindsListed: listed }).plan.decisions.map((each) => each.about);
    expect(about([])).toContain('policies of Calico’s own');
    expect(about(['GlobalNetworkPolicy'])).not.toContain('policies of Calico’s own');
  });

  it('is refused where RKE2 runs another network than Canal', () => {
    const text = JSON.stringify(rke2()).replaceAll('rancher/hardened-calico', 'rancher/other');
    const snapshot = JSON.parse(text) as Snapshot; // as it was, with other images
    expect(refusal(snapshot)).toContain('runs flannel, not Canal on RKE2');
  });
});

/** Why a frontend did not reach the database for a policy, while the plan ran. */
async function dropped(plan: Plan): Promise<readonly string[]> {
  const stage = stageFor(read(rke2({ objects: [ONLY_FRONTEND] }), KEEPS_PROXY), 1);
  const { world } = stage;
  const podsOf = (name: string): readonly PodObject[] =>
    world.store.list('Pod').filter(({ metadata }) => metadata.name.startsWith(name));
  const messages: string[] = [];
  const onEvent = (): void => {
    for (const pod of podsOf('mysql')) {
      for (const other of podsOf('frontend')) {
        const path = fabricOf(world).reach({ kind: 'pod', pod: other }, { kind: 'pod', pod });
        if (!path.ok && path.message.includes('NetworkPolicy')) messages.push(path.message);
      }
    }
  };
  await play(stage, { plan, onEvent });
  return messages;
}

describe('policies that Canal enforces', () => {
  it('let in whom they let in before, from whichever network it comes', async () => {
    const { plan } = planFor(read(rke2({ objects: [ONLY_FRONTEND] }), KEEPS_PROXY), {
      policies: 'enforce',
    });
    expect(await dropped(plan)).toEqual([]);
    const without: Plan = {
      ...plan,
      steps: plan.steps.map((step) =>
        step.id.endsWith('-crossings')
          ? { ...step, action: { kind: 'verify', scope: 'node', nodes: [] }, kind: 'verify' }
          : step,
      ),
    };
    expect(await dropped(without)).toContain(
      'NetworkPolicy only-frontend denies ingress of db/mysql-0',
    );
  });

  it('are all that was lost, until they are enforced again', async () => {
    const input = read(rke2({ objects: [ONLY_FRONTEND] }), REPLACES_PROXY);
    const { plan } = planFor(input);
    const stage = stageFor(input, 1);
    const { rehearsal } = await play(stage, { plan });
    expect(rehearsal.failures.map(({ symptom }) => symptom)).toEqual(['policy-not-enforced']);
    expect([rehearsal.failedSteps, rehearsal.summary.dnsOutageSeconds]).toEqual([[], 0]);
    const { world } = stage;
    const find = (name: string): PodObject | undefined =>
      world.store.list('Pod').find(({ metadata }) => metadata.name.startsWith(name));
    const [pod, friend, stranger] = ['mysql', 'frontend', 'backend'].map(find);
    if (pod === undefined || friend === undefined || stranger === undefined)
      throw new Error('pods');
    const reaches = (from: PodObject): boolean =>
      fabricOf(world).reach({ kind: 'pod', pod: from }, { kind: 'pod', pod }).ok;
    expect([reaches(friend), reaches(stranger)]).toEqual([true, false]);
  });

  it('are said not to hold for a while, and nothing is opened where there are none', () => {
    const { decisions, steps } = planFor(
      read(rke2({ objects: [ONLY_FRONTEND] }), KEEPS_PROXY),
    ).plan;
    expect(decisions.find(({ about }) => about === 'policies meanwhile')?.choice).toBe(
      'not enforced for pods that have moved',
    );
    const ids = steps.map(({ id }) => id);
    expect(ids).toContain('enforce-policies/audit');
    const { plan } = planFor(read(rke2(), KEEPS_PROXY));
    expect(plan.steps.filter(({ id }) => id.endsWith('-crossings'))).toEqual([]);
  });
});

describe('the way back on RKE2', () => {
  it.each([
    ['kube-proxy stays', KEEPS_PROXY],
    ['kube-proxy goes', REPLACES_PROXY],
  ])('ends where it began, from every point, where %s', async (_, target) => {
    const input = read(rke2({ objects: [ONLY_FRONTEND] }), target);
    const { plan } = planFor(input);
    const document = await rehearseRollbacks({ input, plan, seed: 1, points: 'waves' });
    expect(document.points.filter(({ outcome }) => outcome !== 'back')).toEqual([]);
    expect(document.points.length).toBeGreaterThan(6);
  });
});
