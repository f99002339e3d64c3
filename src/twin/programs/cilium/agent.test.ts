/** Agent and operator on a small world: what stops them, what they wait for, what they notice. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { PodObject } from '../../../model/kubernetes.ts';
import {
  createPod,
  fakeWorld,
  type FakeWorld,
  nodeNamed,
  type Running,
  runProgram,
  setReady,
} from '../../../../test/support/fake-world.ts';
import { networkOf } from '../../network/kernel-network.ts';
import { ciliumAgent } from './agent.ts';
import { buildConfigStep, installCniBinaries } from './init-containers.ts';
import { ciliumOperator } from './operator.ts';

let world: FakeWorld;

const CONFIG = {
  ipam: 'cluster-pool',
  'cluster-pool-ipv4-cidr': '10.245.0.0/16',
  'cluster-pool-ipv4-mask-size': '24',
  'routing-mode': 'tunnel',
  'tunnel-protocol': 'vxlan',
  'tunnel-port': '8473',
  'kube-proxy-replacement': 'false',
  'remove-cilium-node-taints': 'true',
  'set-cilium-node-taints': 'true',
  'unmanaged-pod-watcher-interval': '0',
};

beforeEach(() => {
  world = fakeWorld(['a', 'b']);
});

function configure(data: Readonly<Record<string, string>> = {}): void {
  world.store.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cilium-config', namespace: 'kube-system' },
    data: { ...CONFIG, ...data },
  } as Parameters<typeof world.store.create>[0]);
}

function run(seconds: number): void {
  world.kernel.runUntil(world.kernel.now() + seconds * 1000);
}

interface AgentOptions {
  readonly version?: string;
  readonly node?: string;
  readonly host?: string;
}

function agentPod({
  version = '1.16.5',
  node = 'a',
  host = '10.0.1.200',
}: AgentOptions = {}): PodObject {
  const env =
    host === ''
      ? []
      : [
          { name: 'KUBERNETES_SERVICE_HOST', value: host },
          { name: 'KUBERNETES_SERVICE_PORT', value: host === 'localhost' ? '7445' : '6443' },
        ];
  return createPod(world, `cilium-${node}-${world.store.resourceVersion}`, node, {
    namespace: 'kube-system',
    hostNetwork: true,
    labels: { 'k8s-app': 'cilium' },
    container: { name: 'cilium-agent', image: `quay.io/cilium/cilium:v${version}`, env },
  });
}

function startAgent(options: AgentOptions = {}): Running {
  return runProgram(world, ciliumAgent, agentPod(options));
}

function startOperator(): Running {
  const pod = createPod(world, `cilium-operator-${world.store.resourceVersion}`, 'b', {
    namespace: 'kube-system',
    hostNetwork: true,
    container: {
      name: 'cilium-operator',
      image: 'quay.io/cilium/operator-generic:v1.16.5',
      env: [{ name: 'KUBERNETES_SERVICE_HOST', value: '10.0.1.200' }],
    },
  });
  return runProgram(world, ciliumOperator, pod);
}

function taints(): readonly string[] {
  return (world.store.get('Node', undefined, 'a')?.spec.taints ?? []).map(({ key }) => key);
}

function coreDns(name: string): PodObject {
  const pod = createPod(world, name, 'a', {
    namespace: 'kube-system',
    labels: { 'k8s-app': 'kube-dns' },
  });
  return setReady(world, pod, '10.244.0.53');
}

function restarts(): number {
  return world.kernel.occurrences.filter(
    ({ kind }) => kind === 'cilium-operator.unmanaged-pod-restarted',
  ).length;
}

describe('an agent does not start', () => {
  it.each([
    [
      'BPF masquerade without the replacement, since 1.15',
      '1.15.4',
      { 'enable-bpf-masquerade': 'true' },
      'BPF masquerade requires NodePort',
    ],
    [
      'strict, since 1.16',
      '1.16.5',
      { 'kube-proxy-replacement': 'strict' },
      'Invalid value for --kube-proxy-replacement: strict',
    ],
    [
      'direct routes with a tunnel',
      '1.16.5',
      { 'auto-direct-node-routes': 'true' },
      'cannot be used with tunneling',
    ],
  ])('with %s', (_name, version, data, message) => {
    configure(data);
    startOperator();
    const agent = startAgent({ version });
    run(60);
    expect(agent.log.exit?.message).toContain(message);
  });

  it.each([
    [
      'BPF masquerade without the replacement, before 1.15',
      '1.14.16',
      { 'enable-bpf-masquerade': 'true' },
    ],
    ['strict, before 1.16', '1.15.4', { 'kube-proxy-replacement': 'strict' }],
  ])('but does with %s', (_name, version, data) => {
    configure(data);
    startOperator();
    const agent = startAgent({ version });
    run(60);
    expect(agent.log.ready).toBe(true);
  });

  it('without the API server, and says so after a minute', () => {
    configure();
    const agent = startAgent({ host: '' });
    run(59);
    expect(agent.log.exit).toBeUndefined();
    run(10);
    expect(agent.log.exit?.message).toContain('Unable to contact k8s api-server');
    expect(agent.log.exit?.message).toContain('i/o timeout');
  });

  it('with a token that the API server refuses: a 401 is not a time-out', () => {
    configure();
    world.state.unauthorized = true;
    const agent = startAgent();
    run(70);
    expect(agent.log.exit?.message).toContain('error="Unauthorized"');
  });

  it('while the operator gave its node no range', () => {
    configure();
    const agent = startAgent();
    run(300);
    expect(agent.log).toMatchObject({ ready: false, exit: undefined });
    startOperator();
    run(60);
    expect(agent.log.ready).toBe(true);
  });
});

it('reaches the API server by KubePrism only where it listens', () => {
  configure();
  startOperator();
  const without = startAgent({ host: 'localhost', node: 'b' });
  run(70);
  expect(without.log.exit?.message).toContain('127.0.0.1:7445'.replace('127.0.0.1', 'localhost'));
  nodeNamed(world, 'b').machine.patchConfig(
    'machine:\n  features:\n    kubePrism:\n      enabled: true\n      port: 7445\n',
    'no-reboot',
  );
  const served = startAgent({ host: 'localhost', node: 'b' });
  run(30);
  expect(served.log.ready).toBe(true);
});

it('before 1.17.4 the liveness probe fails without the API server, later it does not', () => {
  configure();
  startOperator();
  const old = startAgent({ version: '1.16.5', node: 'a' });
  const later = startAgent({ version: '1.17.4', node: 'b' });
  run(30);
  world.state.apiHealthy = false;
  networkOf(nodeNamed(world, 'a')).addLink('any-change');
  run(600);
  expect([old.log.live, later.log.live]).toEqual([false, true]);
});

it('build-config takes what selects the node, the last name winning, of served versions only', () => {
  configure();
  const config = (name: string, apiVersion: string, labels: object, defaults: object): void => {
    const object = {
      apiVersion,
      kind: 'CiliumNodeConfig',
      metadata: { name, namespace: 'kube-system' },
      spec: { nodeSelector: { matchLabels: labels }, defaults },
    };
    world.store.create(object);
  };
  const here = { 'kubernetes.io/hostname': 'a' };
  config('b', 'cilium.io/v2', here, { 'tunnel-port': '9002' });
  config('a', 'cilium.io/v2', here, { 'tunnel-port': '9001', 'enable-policy': 'never' });
  config('c', 'cilium.io/v2', { 'kubernetes.io/hostname': 'b' }, { 'tunnel-port': '9003' });
  const pod = agentPod();
  const step = runProgram(world, buildConfigStep, pod, { init: true });
  run(5);
  expect(step.log.exit?.code).toBe(0);
  const resolved = networkOf(nodeNamed(world, 'a')).scratch.get(pod.metadata.uid ?? '');
  expect(resolved).toMatchObject({
    'tunnel-port': '9002',
    'enable-policy': 'never',
    ipam: 'cluster-pool',
  });
  const old = agentPod({ version: '1.15.4' });
  runProgram(world, buildConfigStep, old, { init: true });
  run(5);
  expect(networkOf(nodeNamed(world, 'a')).scratch.get(old.metadata.uid ?? '')).toMatchObject({
    'tunnel-port': '8473',
  });
});

it('the plugin binary is put back on every start of the pod', () => {
  runProgram(world, installCniBinaries, agentPod(), { init: true });
  run(5);
  expect(nodeNamed(world, 'a').files.exists('/opt/cni/bin/cilium-cni')).toBe(true);
});

describe('the operator', () => {
  it('takes the taint off once the agent is ready, and puts it on when it is not', () => {
    configure();
    startOperator();
    run(10);
    const pod = agentPod();
    run(1);
    expect(taints()).toEqual(['node.cilium.io/agent-not-ready']);
    setReady(world, pod, '10.0.1.61');
    run(1);
    expect(taints()).toEqual([]);
  });

  describe('restarts pods that Cilium does not carry', () => {
    it('one per round and not before 30 s, never when it is told not to', () => {
      configure({ 'unmanaged-pod-watcher-interval': '15' });
      startOperator();
      run(10);
      coreDns('coredns-1');
      coreDns('coredns-2');
      run(29);
      expect(restarts()).toBe(0);
      run(5);
      expect(restarts()).toBe(1);
      run(15);
      expect(restarts()).toBe(2);
    });

    it('leaves the same name alone for five minutes', () => {
      configure({ 'unmanaged-pod-watcher-interval': '15' });
      startOperator();
      run(10);
      coreDns('coredns-1');
      run(50);
      world.store.remove('Pod', 'kube-system', 'coredns-1');
      coreDns('coredns-1');
      run(200);
      expect(restarts()).toBe(1);
      run(150);
      expect(restarts()).toBe(2);
    });

    it('not with an interval of 0', () => {
      configure({ 'unmanaged-pod-watcher-interval': '0' });
      startOperator();
      run(10);
      coreDns('coredns-1');
      run(600);
      expect(restarts()).toBe(0);
    });
  });

  it('hands over to the other replica, which waits for a lease that nobody gave back', () => {
    configure();
    const first = startOperator();
    startOperator();
    run(10);
    first.process.stop('power-lost');
    const agent = startAgent();
    run(10);
    expect(agent.log.ready).toBe(false);
    run(40);
    expect(agent.log.ready).toBe(true);
  });
});
