/**
 * Holds flanneld, cilium-agent, cilium-operator and the fabric against what a real flanneld 0.26.7 and
 * a real cilium-agent (1.16) were measured to do side by side (data/dual-overlay.json, P01 to P13).
 * Each test builds the set-up of its case and compares with what was observed; nothing is looked up.
 */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { PodObject } from '../../src/model/kubernetes.ts';
import { networkOf } from '../../src/twin/network/kernel-network.ts';
import { ciliumAgent, AGENT_SOCKETS } from '../../src/twin/programs/cilium/agent.ts';
import { ciliumOperator } from '../../src/twin/programs/cilium/operator.ts';
import { flanneld } from '../../src/twin/programs/flannel/flanneld.ts';
import { installConfig } from '../../src/twin/programs/flannel/install-config.ts';
import type { NetworkEnd } from '../../src/twin/world.ts';
import {
  attachPod,
  createPod,
  fakeWorld,
  type FakeWorld,
  nodeNamed,
  type Running,
  runProgram,
} from '../support/fake-world.ts';

interface Case {
  readonly id: string;
  readonly observed: Readonly<Record<string, unknown>>;
}

const cases = new Map(
  (
    JSON.parse(readFileSync(new URL('./data/dual-overlay.json', import.meta.url), 'utf8')) as Case[]
  ).map((entry) => [entry.id, entry.observed]),
);

function observed(id: string): Readonly<Record<string, unknown>> {
  const found = cases.get(id);
  if (found === undefined) throw new Error(`no case ${id}`);
  return found;
}

const CONF_DIR = '/etc/cni/net.d';
const FLANNEL_CONF =
  '{"name":"cbr0","cniVersion":"1.0.0","plugins":[{"type":"flannel"},{"type":"portmap"}]}';

/** n1 and n2 with flannel on VXLAN port 8472, as measured. */
function twoNodes(): FakeWorld {
  const world = fakeWorld(['n1', 'n2']);
  world.store.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kube-flannel-cfg', namespace: 'kube-system' },
    data: {
      'cni-conf.json': FLANNEL_CONF,
      'net-conf.json': '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","Port":8472}}',
    },
  });
  for (const node of ['n1', 'n2']) {
    const pod = createPod(world, `flannel-${node}`, node, {
      namespace: 'kube-system',
      hostNetwork: true,
      container: { image: 'docker.io/flannel/flannel:v0.26.7', env: [apiHost()] },
    });
    runProgram(world, installConfig, pod, { init: true });
    runProgram(world, flanneld, pod);
  }
  run(world, 5);
  return world;
}

function apiHost(): { name: string; value: string } {
  return { name: 'KUBERNETES_SERVICE_HOST', value: '10.0.1.200' };
}

function run(world: FakeWorld, seconds: number): void {
  world.kernel.runUntil(world.kernel.now() + seconds * 1000);
}

function configure(world: FakeWorld, data: Readonly<Record<string, string>>): void {
  world.store.remove('ConfigMap', 'kube-system', 'cilium-config');
  world.store.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cilium-config', namespace: 'kube-system' },
    data: {
      ipam: 'cluster-pool',
      'cluster-pool-ipv4-cidr': '10.245.0.0/16',
      'cluster-pool-ipv4-mask-size': '24',
      'routing-mode': 'tunnel',
      'tunnel-protocol': 'vxlan',
      'tunnel-port': '8473',
      'kube-proxy-replacement': 'false',
      'enable-policy': 'never',
      ...data,
    },
  } as
    | PodObject
    | {
        apiVersion: string;
        kind: string;
        metadata: { name: string; namespace: string };
        data: object;
      });
}

let serial = 0;

function startAgent(world: FakeWorld, node: string, version = '1.16.0'): Running {
  serial += 1;
  const pod = createPod(world, `cilium-${node}-${serial}`, node, {
    namespace: 'kube-system',
    hostNetwork: true,
    labels: { 'k8s-app': 'cilium' },
    container: {
      name: 'cilium-agent',
      image: `quay.io/cilium/cilium:v${version}`,
      env: [apiHost()],
    },
  });
  const running = runProgram(world, ciliumAgent, pod);
  run(world, 20);
  return running;
}

function startOperator(world: FakeWorld): Running {
  serial += 1;
  const pod = createPod(world, `cilium-operator-${serial}`, 'n1', {
    namespace: 'kube-system',
    hostNetwork: true,
    container: {
      name: 'cilium-operator',
      image: 'quay.io/cilium/operator-generic:v1.16.0',
      env: [apiHost()],
    },
  });
  const running = runProgram(world, ciliumOperator, pod);
  run(world, 8);
  return running;
}

function confDir(world: FakeWorld, node: string): readonly string[] {
  return (nodeNamed(world, node).files.list(CONF_DIR) ?? []).toSorted();
}

function ciliumPod(world: FakeWorld, name: string, node: string): PodObject {
  const pod = createPod(world, name, node);
  const socket = nodeNamed(world, node).sockets.get(AGENT_SOCKETS[0]);
  const answer = socket?.allocate({
    podUid: pod.metadata.uid ?? '',
    namespace: 'default',
    name,
    hostNetwork: false,
    hostPorts: [],
  });
  if (answer === undefined || 'error' in answer) throw new Error('the agent gave no address');
  return attachPod(world, pod, 'cilium', answer.ip);
}

function flannelPod(world: FakeWorld, name: string, node: string, ip: string): PodObject {
  return attachPod(world, createPod(world, name, node), 'flannel', ip);
}

function reaches(world: FakeWorld, from: NetworkEnd, to: PodObject): boolean {
  return world.fabric.reach(from, { kind: 'pod', pod: to }).ok;
}

const MANAGED = { 'write-cni-conf-when-ready': `/host${CONF_DIR}/05-cilium.conflist` };
let world: FakeWorld;

beforeEach(() => {
  world = twoNodes();
});

describe('conf ownership', () => {
  it('P01: without a path to write, exclusive does nothing and the agent says so', () => {
    configure(world, { 'cni-exclusive': 'true' });
    startOperator(world);
    const agent = startAgent(world, 'n1');
    expect(agent.log.ready).toBe(true);
    expect(confDir(world, 'n1')).toEqual(observed('P01')['confDir']);
    const told = world.kernel.occurrences.find(
      ({ kind }) => kind === 'cilium-agent.conf-management-disabled',
    );
    expect(told?.message).toContain(observed('P01')['cniConfigStatus']);
  });

  it('P02: not exclusive, it writes its own conf and leaves flannel’s', () => {
    configure(world, { ...MANAGED, 'cni-exclusive': 'false' });
    startOperator(world);
    startAgent(world, 'n1');
    expect(confDir(world, 'n1')).toEqual(observed('P02')['confDir']);
  });

  it('P03: restarted as exclusive, it renames flannel’s conf', () => {
    configure(world, { ...MANAGED, 'cni-exclusive': 'false' });
    startOperator(world);
    startAgent(world, 'n1').process.stop('terminated');
    configure(world, { ...MANAGED, 'cni-exclusive': 'true' });
    startAgent(world, 'n1');
    expect(confDir(world, 'n1')).toEqual(observed('P03')['confDir']);
  });

  it('P04: a conf that flannel drops again is renamed again, while the agent runs', () => {
    configure(world, { ...MANAGED, 'cni-exclusive': 'true' });
    startOperator(world);
    const agent = startAgent(world, 'n1');
    nodeNamed(world, 'n1').files.write(`${CONF_DIR}/10-flannel.conflist`, FLANNEL_CONF);
    run(world, 0.05);
    expect(confDir(world, 'n1')).toEqual(observed('P04')['confDir']);
    agent.process.stop('terminated');
    nodeNamed(world, 'n1').files.write(`${CONF_DIR}/10-flannel.conflist`, FLANNEL_CONF);
    run(world, 60);
    expect(confDir(world, 'n1')).toContain('10-flannel.conflist');
  });
});

describe('two overlays', () => {
  let pods: Readonly<Record<string, PodObject>>;
  let agents: readonly Running[];

  beforeEach(() => {
    configure(world, { ...MANAGED, 'cni-exclusive': 'true' });
    startOperator(world);
    agents = [startAgent(world, 'n1'), startAgent(world, 'n2')];
    pods = {
      cilium1: ciliumPod(world, 'cilium1', 'n1'),
      cilium2: ciliumPod(world, 'cilium2', 'n2'),
      flannel1: flannelPod(world, 'flannel1', 'n1', '10.244.0.2'),
      flannel2: flannelPod(world, 'flannel2', 'n2', '10.244.1.2'),
    };
  });

  function end(name: string): NetworkEnd {
    const pod = pods[name];
    return pod === undefined
      ? { kind: 'host', node: name.replace('node', 'n') }
      : { kind: 'pod', pod };
  }

  function sourceSeen(from: string, to: PodObject): string | null {
    return world.fabric.reach(end(from), { kind: 'pod', pod: to }).sourceSeen;
  }

  function pathWorks(path: string): boolean {
    const [from = '', to = ''] = path.split('->');
    const target = pods[to];
    if (target === undefined) throw new Error(`no pod ${to}`);
    return reaches(world, end(from), target);
  }

  it('P05: they are not isolated', () => {
    const reach = observed('P05')['reach'] as Readonly<Record<string, boolean>>;
    for (const [path, expected] of Object.entries(reach))
      expect([path, pathWorks(path)]).toEqual([path, expected]);
    expect(vxlan('n1')).toEqual(observed('P05')['vxlan']);
  });

  it('P05: but addresses are not kept across them', () => {
    const { cilium2, flannel2, cilium1 } = pods;
    if (cilium1 === undefined || cilium2 === undefined || flannel2 === undefined)
      throw new Error('pods');
    expect(sourceSeen('flannel1', cilium2)).toBe('10.0.1.61');
    expect(sourceSeen('cilium1', flannel2)).toBe('10.0.1.61');
    expect(sourceSeen('cilium1', cilium2)).toBe(cilium1.status.podIP);
    expect(sourceSeen('flannel1', flannel2)).toBe('10.244.0.2');
  });

  it('P06/P07: without its agent traffic goes on; restarted, it gives no address twice', () => {
    agents[0]?.process.stop('terminated');
    expect(pathWorks('cilium1->cilium2')).toBe(true);
    expect(nodeNamed(world, 'n1').sockets.size).toBe(0);
    startAgent(world, 'n1');
    const again = ciliumPod(world, 'cilium3', 'n1');
    expect(again.status.podIP).not.toBe(pods['cilium1']?.status.podIP);
    expect(pathWorks('cilium1->cilium2')).toBe(observed('P07')['cilium1->cilium2']);
  });

  it('P08: on flannel’s port the agent dies, and its node’s Cilium pods are cut off', () => {
    agents[0]?.process.stop('terminated');
    configure(world, { ...MANAGED, 'tunnel-port': '8472' });
    const agent = startAgent(world, 'n1');
    expect(agent.log.exit?.message).toBe(observed('P08')['fatal']);
    expect(vxlan('n1')).toEqual(observed('P08')['vxlan']);
    expect(pathWorks('cilium1->cilium2')).toBe(observed('P08')['cilium1->cilium2']);
    expect(pathWorks('flannel1->flannel2')).toBe(observed('P08')['flannel1->flannel2']);
  });

  it('P09: the right port alone does not heal it before 1.18; P10: deleting the device does', () => {
    agents[0]?.process.stop('terminated');
    configure(world, { ...MANAGED, 'tunnel-port': '8472' });
    startAgent(world, 'n1');
    configure(world, MANAGED);
    expect(startAgent(world, 'n1').log.exit?.message).toContain('address already in use');
    nodeNamed(world, 'n1').network.removeLink('cilium_vxlan');
    expect(startAgent(world, 'n1').log.ready).toBe(observed('P10')['ok']);
    expect(vxlan('n1')).toEqual(observed('P10')['vxlan']);
    expect(pathWorks('cilium1->cilium2')).toBe(observed('P10')['cilium1->cilium2']);
  });

  it('since 1.18.0 the right port heals the left-over device', () => {
    agents[0]?.process.stop('terminated');
    configure(world, { ...MANAGED, 'tunnel-port': '8472' });
    startAgent(world, 'n1', '1.18.3');
    configure(world, MANAGED);
    expect(startAgent(world, 'n1', '1.18.3').log.ready).toBe(true);
  });

  it('P11: the agent answers DEL for a pod it does not know', () => {
    const uid = pods['flannel1']?.metadata.uid ?? '';
    expect(() => nodeNamed(world, 'n1').sockets.get(AGENT_SOCKETS[0])?.release(uid)).not.toThrow();
  });
});

function vxlan(node: string): readonly object[] {
  const network = networkOf(nodeNamed(world, node));
  return ['flannel.1', 'cilium_vxlan'].map((dev) => {
    const link = network.vxlanLink(dev);
    return { dev, up: link?.up, dstport: link?.port };
  });
}

describe('a pool replaced in place', () => {
  beforeEach(() => {
    configure(world, MANAGED);
  });

  it('P12/P13: nodes keep their range, the operator says why, only new nodes draw from the new pool', () => {
    const first = startOperator(world);
    const agent = startAgent(world, 'n1');
    configure(world, { ...MANAGED, 'cluster-pool-ipv4-cidr': '10.244.0.0/16' });
    agent.process.stop('terminated');
    startAgent(world, 'n1');
    expect(ciliumNode('n1')).toEqual({ podCIDRs: ['10.245.0.0/24'], operatorError: undefined });
    first.process.stop('terminated');
    startOperator(world);
    const [expected] = observed('P13')['nodes'] as readonly {
      podCIDRs: string[];
      operatorError: string;
    }[];
    expect(ciliumNode('n1')).toEqual({
      podCIDRs: expected?.podCIDRs,
      operatorError: expected?.operatorError,
    });
    startAgent(world, 'n2');
    expect(ciliumNode('n2').podCIDRs[0]).toMatch(/^10\.244\./);
  });
});

function ciliumNode(name: string): {
  podCIDRs: readonly string[];
  operatorError: string | undefined;
} {
  const object = world.store.get<string>('CiliumNode', undefined, name) as unknown as {
    spec: { ipam: { podCIDRs: string[] } };
    status?: { ipam: { 'operator-status': { error: string } } };
  };
  return {
    podCIDRs: object.spec.ipam.podCIDRs,
    operatorError: object.status?.ipam['operator-status'].error,
  };
}
