/** The prober on a small world whose probe pods are made by hand; paths break by taking links away. */
import { beforeEach, expect, it } from 'vitest';
import { networkOf } from '../network/kernel-network.ts';
import {
  attachPod,
  createPod,
  fakeWorld,
  type FakeWorld,
  layFlannel,
  nodeNamed,
} from '../../../test/support/fake-world.ts';
import { HOST_PROBE_NAME, PROBE_NAME, PROBE_NAMESPACE } from '../../knowledge/probes/objects.ts';
import { createProber, type TwinProber } from './prober.ts';

const NODES = ['a', 'b', 'c'];
let world: FakeWorld;
let prober: TwinProber;

beforeEach(async () => {
  world = fakeWorld(NODES);
  for (const [index, name] of NODES.entries()) {
    layFlannel(world, name, index);
    probePods(name, index);
  }
  prober = createProber(world);
  await world.kernel.drive(() => prober.start());
});

function probePods(node: string, index: number): void {
  const options = { namespace: PROBE_NAMESPACE };
  const pod = createPod(world, `${PROBE_NAME}-${node}`, node, {
    ...options,
    labels: { app: PROBE_NAME },
  });
  attachPod(world, pod, 'flannel', `10.244.${index}.9`);
  const host = createPod(world, `${HOST_PROBE_NAME}-${node}`, node, {
    ...options,
    hostNetwork: true,
    labels: { app: HOST_PROBE_NAME },
  });
  attachPod(world, host, 'flannel', nodeNamed(world, node).address);
}

function run(ms: number): void {
  world.kernel.runUntil(world.kernel.now() + ms);
}

it('sees pod paths work, in both directions, with the pod’s own address', async () => {
  run(10_000);
  const all = await world.kernel.drive(() => prober.observations());
  const pods = all.filter(({ from, to }) => from.class === 'pod-old' && to.class === 'pod-old');
  expect(pods).toHaveLength(6);
  for (const { lost, sent, sourceSeen } of pods) {
    expect(lost).toBe(0);
    expect(sent).toBeGreaterThan(90);
    expect(sourceSeen).toMatch(/^10\.244\./);
  }
});

it('measures a gap from the loss of a link to its return, only on paths over that node', async () => {
  run(5_000);
  const network = networkOf(nodeNamed(world, 'b'));
  network.removeLink('flannel.1');
  run(2_500);
  const failing = await world.kernel.drive(() => prober.failing());
  const podPaths = failing.filter(({ to }) => to.class === 'pod-old');
  expect(podPaths.length).toBeGreaterThan(0);
  for (const { from, to, message } of podPaths) {
    expect([from.node, to.node]).toContain('b');
    expect(message).toContain('flannel.1');
  }
  network.setVxlanLink('flannel.1', { port: 4789, up: true });
  run(5_000);
  expect(await world.kernel.drive(() => prober.failing())).not.toContainEqual(
    expect.objectContaining({ to: { class: 'pod-old', node: 'b' } }),
  );
  const all = await world.kernel.drive(() => prober.observations());
  const [gap] = all.filter(
    ({ from, to }) =>
      from.node === 'a' && from.class === 'pod-old' && to.node === 'b' && to.class === 'pod-old',
  );
  expect(gap?.longestGapMs).toBeGreaterThanOrEqual(2_400);
  expect(gap?.longestGapMs).toBeLessThanOrEqual(2_700);
});

it('books a pod that moved to Cilium under its new class', async () => {
  const network = networkOf(nodeNamed(world, 'a'));
  network.setVxlanLink('cilium_vxlan', { port: 8473, up: true });
  network.setCilium({
    version: '1.16.5',
    podCidrs: ['10.245.0.0/24'],
    routing: 'tunnel',
    tunnelDevice: 'cilium_vxlan',
    hostRouting: 'legacy',
    masquerade: 'iptables',
    kubeProxyReplacement: false,
    policy: 'never',
    maps: undefined,
    takenOver: { services: [], routing: [], oldNetwork: [] },
  });
  const pod = world.store.get('Pod', PROBE_NAMESPACE, `${PROBE_NAME}-a`);
  nodeNamed(world, 'a').network.attach({
    podUid: pod?.metadata.uid ?? '',
    ip: '10.245.0.7',
    network: 'cilium',
    hostPorts: [],
  });
  run(3_000);
  const all = await world.kernel.drive(() => prober.observations());
  const moved = all.find(({ from, to }) => from.class === 'pod-new' && to.class === 'pod-old');
  expect(moved).toMatchObject({ lost: 0, sourceSeen: '10.0.1.61' });
});

it('without rules for service addresses, services fail and pod paths do not', async () => {
  networkOf(nodeNamed(world, 'c')).setKubeProxy(undefined);
  run(1_000);
  const failing = await world.kernel.drive(() => prober.failing());
  const classes = new Set(
    failing.filter(({ from }) => from.node === 'c').map(({ to }) => to.class),
  );
  expect(classes).toContain('service');
  expect(classes).toContain('apiserver');
  expect(classes).not.toContain('pod-old');
});
