/**
 * Change one input, and the outcome changes as the mechanism says. Each test is named after a
 * sentence of the knowledge it comes from: TCS talos-and-cni-selection.md, CF cilium-and-flannel.md,
 * FD failure-domains.md, FM failure-modes.md; truth is what real software was measured to do.
 */
import { describe, expect, it } from 'vitest';
import { present } from '../../src/base/assert.ts';
import type { RunbookStep } from '../../src/model/runbook.ts';
import type { ClusterSpec } from '../../src/twin/scenario/cluster-spec.ts';
import {
  before,
  insertBefore,
  reboot,
  REBOOTED,
  type Replay,
  remove,
  replay,
  stuckOnSubnetEnv,
  wait,
  without,
  withValues,
} from './replay.ts';

const UPGRADES_END = 'Puzzle over pods';
const INSTALLED = 'Tell Talos to stop managing CNI';

type Steps = readonly RunbookStep[];

/** Up to where the nodes are through: what the recovery does is not looked at. */
const withoutRecovery = before(UPGRADES_END);
const installOnly = before(INSTALLED);

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

/** As it was done, without the recovery: what the flips are compared with. */
async function baseline(): Promise<number> {
  return sum(stuckOnSubnetEnv(await replay({ steps: withoutRecovery })));
}

/** A cluster whose Flannel came with its Talos, as one born on that version has it. */
function bornOn(talos: string, kubernetes: string) {
  return (spec: ClusterSpec): ClusterSpec => ({ ...spec, versions: { talos, kubernetes } });
}

function upgradeTo(steps: Steps, image: string): Steps {
  return steps.map((step) =>
    'talos' in step && step.talos.action === 'upgrade'
      ? { ...step, talos: { ...step.talos, image } }
      : step,
  );
}

/** Probes from pods of the old network to the outside that were lost. */
function egressLost({ rehearsal }: Replay): number {
  return rehearsal.paths
    .filter(({ to, from }) => to.class === 'egress' && from.class === 'pod-old')
    .reduce((total, { lost }) => total + lost, 0);
}

function withFlannel(flannel: string) {
  return (spec: ClusterSpec): ClusterSpec => ({ ...spec, versions: { ...spec.versions, flannel } });
}

/** The cluster with its nodes in another LAN: `192.168.1.`. */
function withLan(prefix: string) {
  return (spec: ClusterSpec): ClusterSpec => {
    const { nodes } = spec;
    if (!Array.isArray(nodes)) return spec;
    const [first, ...others] = nodes.map((node) => ({
      ...node,
      address: node.address.replace('10.0.1.', prefix),
    }));
    return { ...spec, nodes: [present(first, 'a node'), ...others] };
  };
}

/** The longest gap of external names (milliseconds), with Cilium as the CNI of new pods and host DNS forwarding. */
async function externalNamesLost(version: string, hostLegacyRouting: boolean): Promise<number> {
  const run = await replay({
    spec: (spec) => ({ ...spec, machine: { ...spec.machine, forwardKubeDnsToHost: true } }),
    steps: (steps) =>
      withValues(installOnly(steps), {
        cni: { exclusive: true, customConf: false },
        bpf: { masquerade: true, hostLegacyRouting },
      }).map((step) =>
        'helm' in step && 'version' in step.helm
          ? { ...step, helm: { ...step.helm, version } }
          : step,
      ),
  });
  return run.rehearsal.paths
    .filter(({ to }) => to.class === 'dns-external')
    .reduce((most, { longestGapMs }) => Math.max(most, longestGapMs), 0);
}

describe('Flannel’s state', () => {
  it('CF 13: flanneld writes subnet.env again at every start, so with its DaemonSet kept no pod is stuck', async () => {
    expect(await baseline()).toBeGreaterThan(40);
    const kept = await replay({
      steps: (steps) => without(withoutRecovery(steps), 'Delete the Flannel DaemonSet'),
    });
    expect(sum(stuckOnSubnetEnv(kept))).toBe(0);
    expect(kept.rehearsal.summary.podsStuck).toBe(0);
  });

  it('TCS 4.5: up to 1.12 a deleted DaemonSet comes back at a control plane’s boot while Flannel is configured', async () => {
    const healed = await replay({
      steps: (steps) => without(withoutRecovery(steps), 'Tell Talos to stop managing CNI'),
    });
    expect(healed.of('talos.manifests-created').map(({ subject }) => subject?.name)).toContain(
      'kube-flannel',
    );
    expect(sum(stuckOnSubnetEnv(healed))).toBe(0);
  });

  it('TCS 4.1: /run is tmpfs, so any reboot does it; the OS upgrade is not the cause', async () => {
    const rebooted = await replay({
      steps: (steps) =>
        withoutRecovery(steps).map((step) =>
          'talos' in step && step.talos.action === 'upgrade'
            ? { title: 'Reboot', talos: { action: 'reboot', nodes: step.talos.nodes, wait: true } }
            : step,
        ),
    });
    expect([...stuckOnSubnetEnv(rebooted).keys()].toSorted()).toEqual(REBOOTED.toSorted());
    expect(rebooted.of('talos.os-upgraded')).toEqual([]);
  });

  it('TCS 4.3: the words for a missing subnet.env are new from Talos 1.12 on', async () => {
    const newer = await replay({
      spec: bornOn('1.12.0', '1.35.0'),
      steps: (steps) => upgradeTo(withoutRecovery(steps), 'ghcr.io/siderolabs/installer:v1.12.4'),
    });
    const messages = newer.rehearsal.failures
      .map(({ message }) => message)
      .filter((text) => text.includes('subnet.env'));
    expect(messages.length).toBeGreaterThan(0);
    expect(
      messages.every((text) => text.includes("failed to load flannel 'subnet.env' file")),
    ).toBe(true);
    expect(messages[0]).toContain('Check the flannel pod log for this node.');
  });

  it('TCS 4.1: plugins that Talos 1.7 copied to /opt lie above the image’s, so its clusters keep the old words', async () => {
    const born = await replay({
      spec: (spec) => ({
        ...spec,
        versions: { ...spec.versions, talos: '1.12.0', kubernetes: '1.35.0' },
      }),
      steps: (steps) => upgradeTo(withoutRecovery(steps), 'ghcr.io/siderolabs/installer:v1.12.4'),
    });
    const messages = born.rehearsal.failures
      .map(({ message }) => message)
      .filter((text) => text.includes('subnet.env'));
    expect(messages.length).toBeGreaterThan(0);
    expect(messages.every((text) => text.includes('loadFlannelSubnetEnv failed'))).toBe(true);
  });

  it('TCS 4.1: on Talos 1.14 /etc/cni is emptied at boot, so the node is not ready instead', async () => {
    const newest = await replay({
      spec: bornOn('1.14.0', '1.37.0'),
      steps: (steps) =>
        upgradeTo(withoutRecovery(steps), 'factory.talos.dev/metal-installer/abc:v1.14.1'),
    });
    expect(sum(stuckOnSubnetEnv(newest))).toBe(0);
    const notReady = newest.occurrences.filter(({ message }) =>
      message.includes('cni plugin not initialized'),
    );
    expect(new Set(notReady.map(({ node }) => node)).size).toBeGreaterThanOrEqual(5);
  });

  it('TCS 4.5: from 1.13 on upgrade-k8s prunes Flannel once cni is none', async () => {
    const upgrade: RunbookStep = { title: 'upgrade-k8s', talos: { action: 'upgrade-k8s' } };
    const prune = (steps: Steps): Steps =>
      without(
        insertBefore(before('Drain talos-cp-01')(steps), 'Delete the Flannel DaemonSet', upgrade),
        'Delete the Flannel DaemonSet',
      );
    const old = await replay({ steps: prune });
    expect(old.of('talos.manifests-pruned')).toEqual([]);
    const newer = await replay({ spec: bornOn('1.13.4', '1.36.0'), steps: prune });
    expect(newer.of('talos.manifests-pruned').map(({ subject }) => subject?.name)).toContain(
      'kube-flannel',
    );
  });

  it('CF 14: flanneld 0.25 to 0.26 takes its masquerade rules along, 0.27 leaves them', async () => {
    const deleted = before('Drain talos-cp-01');
    expect(egressLost(await replay({ steps: deleted }))).toBeGreaterThan(0);
    expect(egressLost(await replay({ spec: withFlannel('v0.27.4'), steps: deleted }))).toBe(0);
  });
});

describe('Cilium’s conf', () => {
  it('CF 2: without customConf the agent writes 05-cilium, which sorts before 10-flannel, exclusive or not', async () => {
    const taken = await replay({
      steps: (steps) =>
        withValues(withoutRecovery(steps), { cni: { exclusive: false, customConf: false } }),
    });
    expect(sum(stuckOnSubnetEnv(taken))).toBe(0);
    expect(taken.of('cilium-agent.conf-management-disabled')).toEqual([]);
  });

  it('truth P08: an agent on the VXLAN port that flannel.1 holds cannot start; on Talos that is 4789, not 8472', async () => {
    const clash = await replay({
      steps: (steps) => withValues(installOnly(steps), { tunnelPort: 4789 }),
    });
    expect(new Set(clash.of('overlay.port-clash').map(({ node }) => node)).size).toBe(7);
    const none = await replay({
      steps: (steps) => withValues(installOnly(steps), { tunnelPort: 8472 }),
    });
    expect(none.of('overlay.port-clash')).toEqual([]);
  });

  it('FM-04: a pool equal to Flannel’s range puts two networks on the same addresses', async () => {
    const both = await replay({
      steps: (steps) =>
        withValues(withoutRecovery(steps), {
          cni: { exclusive: true, customConf: false },
          ipam: {
            mode: 'cluster-pool',
            operator: { clusterPoolIPv4PodCIDRList: ['10.244.0.0/16'] },
          },
        }),
    });
    const doubled = both.rehearsal.invariants.find(({ name }) => name.includes('two sandboxes'));
    expect(doubled?.held).toBe(false);
  });
});

describe('DNS', () => {
  it('CF 7: the unmanaged-pod watcher deletes CoreDNS pods while Flannel carries them; off, DNS is untouched', async () => {
    const on = await replay({ steps: installOnly });
    expect(on.of('cilium-operator.unmanaged-pod-restarted').length).toBeGreaterThan(1);
    const off = await replay({
      steps: (steps) =>
        withValues(installOnly(steps), { operator: { unmanagedPodWatcher: { restart: false } } }),
    });
    expect(off.of('cilium-operator.unmanaged-pod-restarted')).toEqual([]);
    expect(off.rehearsal.summary.dnsOutageSeconds).toBe(0);
  });

  it('CF 5: tunnel with BPF host routing loses host DNS from 1.16.5 on, not in 1.16.4, and not with legacy routing', async () => {
    expect(await externalNamesLost('1.16.5', false)).toBeGreaterThan(300_000);
    expect(await externalNamesLost('1.16.4', false)).toBeLessThan(60_000);
    expect(await externalNamesLost('1.16.5', true)).toBeLessThan(60_000);
  });

  it('TCS 4.7: the key exists under machine.features.hostDNS, and is taken there', async () => {
    const patch = 'machine: { features: { hostDNS: { forwardKubeDNSToHost: false } } }\n';
    const right = await replay({
      steps: () => [{ talos: { action: 'patch', nodes: ['all'], patch } }],
    });
    expect(right.of('talos.config-rejected')).toEqual([]);
    expect(right.of('talos.config-applied')).toHaveLength(7);
  });
});

describe('tokens', () => {
  const RECREATED = [
    'Delete the ServiceAccount cilium',
    'Put the ServiceAccount cilium back',
  ] as const;

  /** Install, re-create the account, then as told. */
  const afterRecreation = (steps: Steps, ...then: Steps): Steps => [
    ...installOnly(steps),
    ...steps.filter(({ title }) => RECREATED.some((each) => each === title)),
    ...then,
  ];

  it('FD 2.1: without a re-created ServiceAccount nobody gets a 401, whatever the pod network does', async () => {
    const run = await replay({ steps: (steps) => without(steps, ...RECREATED) });
    expect(run.rehearsal.summary.apiUnauthorized).toBe(0);
    expect(run.rehearsal.outcome).toBe('stuck');
  });

  it('FD 2.1: the cache is keyed by pod UID: new agent pods get new tokens, and a kubelet restart is not needed', async () => {
    const restart: RunbookStep = {
      kubectl: {
        action: 'rollout-restart',
        kind: 'DaemonSet',
        namespace: 'kube-system',
        name: 'cilium',
      },
    };
    const cured = await replay({ steps: (steps) => afterRecreation(steps, restart, wait(1_800)) });
    expect(cured.of('cilium-agent.exited')).toEqual([]);
    const left = await replay({ steps: (steps) => afterRecreation(steps, wait(1_800)) });
    expect(left.of('cilium-agent.exited').length).toBeGreaterThan(0);
  });

  it('FD 2.1: the kubelet asks anew at 80 % of 3607 s, so the 401s end by themselves within 50 minutes', async () => {
    const run = await replay({ steps: (steps) => afterRecreation(steps, wait(5_400)) });
    const lastExit = Math.max(...run.of('cilium-agent.exited').map(({ at }) => at));
    const recreated = Math.max(...run.of('client.object-created').map(({ at }) => at));
    expect(lastExit - recreated).toBeLessThan(55 * 60_000);
  });
});

describe('kube-proxy', () => {
  const KUBE_PROXY_GONE: Steps = [
    remove('DaemonSet', 'kube-system', 'kube-proxy'),
    wait(60),
    reboot('talos-wrk-03'),
    wait(300),
  ];

  it('CF 3: without kube-proxy an agent needs k8sServiceHost, or it cannot start', async () => {
    const dead = await replay({ steps: (steps) => [...installOnly(steps), ...KUBE_PROXY_GONE] });
    const lost = dead.of('cilium-agent.service-address-untranslated');
    expect(new Set(lost.map(({ node }) => node))).toEqual(new Set(['talos-wrk-03']));
    expect(lost[0]?.message).toContain('i/o timeout');
    const told = await replay({
      steps: (steps) => [
        ...withValues(installOnly(steps), { k8sServiceHost: 'localhost', k8sServicePort: 7445 }),
        ...KUBE_PROXY_GONE,
      ],
    });
    expect(told.of('cilium-agent.service-address-untranslated')).toEqual([]);
  });

  it('CF 12, talos#9132: localhost:7445 leads nowhere where KubePrism is off', async () => {
    const run = await replay({
      spec: (spec) => ({ ...spec, machine: { ...spec.machine, kubePrism: false } }),
      steps: (steps) =>
        withValues(installOnly(steps), { k8sServiceHost: 'localhost', k8sServicePort: 7445 }),
    });
    const refused = run.of('cilium-agent.kube-prism-refused');
    // On a control plane 7445 is not 6443 either.
    expect(new Set(refused.map(({ node }) => node)).size).toBe(7);
    expect(refused[0]?.message).toContain('connection refused');
  });
});

describe('nodes', () => {
  it('FM-09: with a LAN that sorts after the pool, Talos takes cilium_host as the node’s address; 10.0.1 is spared by luck', async () => {
    const lucky = await replay({ steps: installOnly });
    expect(lucky.of('talos.node-ip-changed')).toEqual([]);
    const flipped = await replay({ spec: withLan('192.168.1.'), steps: installOnly });
    expect(new Set(flipped.of('talos.node-ip-changed').map(({ node }) => node)).size).toBe(7);
    const pinned = await replay({
      spec: (spec) => {
        const moved = withLan('192.168.1.')(spec);
        return { ...moved, machine: { ...moved.machine, nodeIpValidSubnets: ['192.168.0.0/16'] } };
      },
      steps: installOnly,
    });
    expect(pinned.of('talos.node-ip-changed')).toEqual([]);
  });

  it('FD 1.2 B16: every pod-network pod of a rebooted node is stuck, so fewer reboots and fewer pods mean fewer', async () => {
    const all = await baseline();
    const onlyControlPlanes = await replay({ steps: before('Drain talos-wrk-03') });
    expect(
      [...stuckOnSubnetEnv(onlyControlPlanes).keys()].every((node) => node.includes('-cp-')),
    ).toBe(true);
    expect(sum(stuckOnSubnetEnv(onlyControlPlanes))).toBeLessThan(all);
    const small = await replay({
      spec: (spec) => ({
        ...spec,
        workloads: spec.workloads.filter(({ namespace }) => namespace !== 'apps'),
      }),
      steps: withoutRecovery,
    });
    expect(sum(stuckOnSubnetEnv(small))).toBeLessThan(all);
  });
});
