/**
 * The fabric over node state set by hand: each test changes one thing that a sentence of the knowledge
 * files says matters, and sees the paths that depend on it turn.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { PodObject } from '../../model/kubernetes.ts';
import {
  attachPod,
  createPod,
  fakeWorld,
  type FakeWorld,
  layFlannel,
  nodeNamed,
  setReady,
} from '../../../test/support/fake-world.ts';
import type { NetworkEnd } from '../world.ts';
import { cleanKubeProxyRules, fabricOf } from './fabric.ts';
import { type CiliumState, type KernelNetwork, networkOf } from './kernel-network.ts';
import { HOST_DNS_ADDRESS } from './node-settings.ts';
import { FLANNEL_PUBLIC_IP, FLANNEL_SUBNET_MANAGER } from './peer-tables.ts';

let world: FakeWorld;

const CILIUM: CiliumState = {
  version: '1.16.5',
  podCidrs: [],
  routing: 'tunnel',
  tunnelDevice: 'cilium_vxlan',
  hostRouting: 'legacy',
  masquerade: 'iptables',
  kubeProxyReplacement: false,
  policy: 'never',
  maps: undefined,
  takenOver: { services: [], routing: [], oldNetwork: [] },
};

beforeEach(() => {
  world = fakeWorld(['a', 'b']);
  for (const [index, name] of ['a', 'b'].entries()) {
    layFlannel(world, name, index);
  }
  settle();
});

function settle(): void {
  world.kernel.runUntil(world.kernel.now() + 10);
}

function net(name: string): KernelNetwork {
  return networkOf(nodeNamed(world, name));
}

function cilium(name: string, change: Partial<CiliumState> = {}, port = 8473): void {
  net(name).setVxlanLink('cilium_vxlan', { port, up: true });
  net(name).setCilium({ ...CILIUM, ...change });
  if (world.store.get<string>('CiliumNode', undefined, name) !== undefined) return;
  const object = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNode',
    metadata: { name },
    spec: {
      addresses: [{ type: 'InternalIP', ip: nodeNamed(world, name).address }],
      ipam: { podCIDRs: [`10.245.${name === 'a' ? 0 : 1}.0/24`] },
    },
  };
  world.store.create(object);
  settle();
}

function pod(
  name: string,
  node: string,
  network: 'flannel' | 'cilium',
  labels = {},
  dnsPolicy?: string,
): PodObject {
  const ip = `10.${network === 'flannel' ? 244 : 245}.${node === 'a' ? 0 : 1}.${10 + world.store.list('Pod').length}`;
  const options = dnsPolicy === undefined ? { labels } : { labels, dnsPolicy };
  const made = attachPod(world, createPod(world, name, node, options), network, ip);
  settle();
  return made;
}

function end(of: PodObject): NetworkEnd {
  return { kind: 'pod', pod: of };
}

function service(
  name: string,
  namespace = 'default',
  selector: Readonly<Record<string, string>> = { app: name },
): void {
  world.store.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { clusterIP: '10.96.7.7', selector, ports: [{ port: 80 }] },
  } as Parameters<typeof world.store.create>[0]);
  settle();
}

function reach(
  from: NetworkEnd,
  to: Parameters<FakeWorld['fabric']['reach']>[1],
): { ok: boolean; message: string } {
  return world.fabric.reach(from, to);
}

describe('between overlays', () => {
  it('a node without Cilium has no route to Cilium pods elsewhere', () => {
    cilium('b');
    const target = pod('new', 'b', 'cilium');
    const from = pod('old', 'a', 'flannel');
    expect(reach(end(from), end(target))).toMatchObject({ ok: false });
    cilium('a');
    expect(reach(end(from), end(target))).toMatchObject({ ok: true });
  });

  it('BPF host routing cuts Cilium pods off from the old overlay, legacy host routing does not', () => {
    cilium('a', { hostRouting: 'bpf', kubeProxyReplacement: true, masquerade: 'bpf' });
    cilium('b');
    const from = pod('new', 'a', 'cilium');
    const old = pod('old', 'b', 'flannel');
    const other = pod('newer', 'b', 'cilium');
    expect(reach(end(from), end(old)).ok).toBe(false);
    expect(reach(end(from), end(other)).ok).toBe(true);
    cilium('a', { hostRouting: 'legacy', kubeProxyReplacement: true, masquerade: 'bpf' });
    expect(reach(end(from), end(old)).ok).toBe(true);
  });

  it('different tunnel ports split nodes', () => {
    cilium('a');
    cilium('b', {}, 8472);
    const verdict = reach(end(pod('one', 'a', 'cilium')), end(pod('two', 'b', 'cilium')));
    expect(verdict).toMatchObject({ ok: false });
    expect(verdict.message).toContain('UDP port 8473');
  });

  it('flannel that removed its masquerade rules leaves its pods without egress', () => {
    const from = pod('old', 'a', 'flannel');
    expect(reach(end(from), { kind: 'outside' }).ok).toBe(true);
    const { flannel } = net('a');
    if (flannel !== undefined) net('a').setFlannel({ ...flannel, masquerade: false });
    expect(reach(end(from), { kind: 'outside' }).ok).toBe(false);
    expect(reach(end(from), end(pod('near', 'b', 'flannel'))).ok).toBe(true);
  });

  it('a stopped flanneld does not learn of nodes that join later', () => {
    const from = pod('old', 'a', 'flannel');
    const target = pod('far', 'b', 'flannel');
    const { flannel } = net('a');
    if (flannel === undefined) throw new Error('flannel');
    world.store.update('Node', undefined, 'b', (node) => ({
      ...node,
      metadata: { ...node.metadata, annotations: {} },
    }));
    settle();
    net('a').setFlannel({ ...flannel, peers: fabricOf(world).revisions.freeze() });
    world.store.update('Node', undefined, 'b', (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        annotations: { [FLANNEL_PUBLIC_IP]: '10.0.1.62', [FLANNEL_SUBNET_MANAGER]: 'true' },
      },
    }));
    settle();
    expect(reach(end(from), end(target)).ok).toBe(false);
    net('a').setFlannel({ ...flannel, peers: undefined });
    expect(reach(end(from), end(target)).ok).toBe(true);
  });

  it('deleting cni0 cuts its pods off until they are made anew', () => {
    const from = pod('old', 'a', 'flannel');
    const target = pod('far', 'b', 'flannel');
    net('a').removeLink('cni0');
    expect(reach(end(from), end(target)).ok).toBe(false);
    const other = pod('later', 'a', 'flannel');
    expect(reach(end(other), end(target)).ok).toBe(true);
    expect(reach(end(from), end(target)).ok).toBe(false);
  });

  it('a machine that lost power keeps nothing, and says because of what', () => {
    const from = pod('old', 'a', 'flannel');
    const target = pod('far', 'b', 'flannel');
    const cause = world.kernel.occur('talos.runtime-state-lost', {
      node: 'a',
      message: 'power lost',
    });
    net('a').powerLost();
    expect(reach(end(from), end(target))).toMatchObject({ ok: false });
    const again = pod('again', 'a', 'flannel');
    expect(world.fabric.reach(end(again), end(target)).because).toContain(cause);
  });
});

describe('services', () => {
  it('rules stay as they were when kube-proxy stops, and point at pods that are gone', () => {
    service('web');
    const from = pod('client', 'a', 'flannel');
    const first = pod('web-1', 'b', 'flannel', { app: 'web' });
    const web = { kind: 'service', namespace: 'default', name: 'web' } as const;
    expect(reach(end(from), web).ok).toBe(true);
    net('a').setKubeProxy({ mode: 'iptables', rules: fabricOf(world).revisions.freeze() });
    world.store.remove('Pod', 'default', 'web-1');
    net('b').detach(first.metadata.uid ?? '');
    pod('web-2', 'b', 'flannel', { app: 'web' });
    expect(reach(end(from), web).ok).toBe(false);
    expect(reach({ kind: 'host', node: 'b' }, web).ok).toBe(true);
    cleanKubeProxyRules(nodeNamed(world, 'a'));
    expect(reach(end(from), web).message).toContain('nothing on a translates');
  });

  it('without kube-proxy, Cilium serves its own pods; with the replacement, everybody on the node', () => {
    service('web');
    cilium('a');
    cilium('b');
    pod('web-1', 'b', 'cilium', { app: 'web' });
    const old = pod('old', 'a', 'flannel');
    const own = pod('new', 'a', 'cilium');
    const web = { kind: 'service', namespace: 'default', name: 'web' } as const;
    net('a').setKubeProxy(undefined);
    expect([reach(end(old), web).ok, reach(end(own), web).ok]).toEqual([false, true]);
    cilium('a', { kubeProxyReplacement: true });
    expect([reach(end(old), web).ok, reach(end(own), web).ok]).toEqual([true, true]);
    expect(reach({ kind: 'host', node: 'a' }, web).ok).toBe(true);
  });

  it('NodePort by the replacement loses pods of the other network; kube-proxy reaches them', () => {
    service('web');
    cilium('a');
    cilium('b');
    pod('web-1', 'b', 'flannel', { app: 'web' });
    const port = { kind: 'nodeport', node: 'a', namespace: 'default', name: 'web' } as const;
    expect(reach({ kind: 'outside' }, port).ok).toBe(true);
    cilium('a', { kubeProxyReplacement: true });
    expect(reach({ kind: 'outside' }, port).ok).toBe(false);
  });

  it('has no backend when none is ready', () => {
    service('web');
    const from = pod('client', 'a', 'flannel');
    const backend = pod('web-1', 'b', 'flannel', { app: 'web' });
    setReady(world, backend, backend.status.podIP ?? '', false);
    settle();
    expect(
      reach(end(from), { kind: 'service', namespace: 'default', name: 'web' }).message,
    ).toContain('no ready backend');
  });

  it('the API server is reached by ClusterIP only where something translates', () => {
    const from = pod('client', 'b', 'flannel');
    expect(reach(end(from), { kind: 'apiserver' }).ok).toBe(true);
    net('b').setKubeProxy(undefined);
    expect(reach(end(from), { kind: 'apiserver' }).message).toContain('10.96.0.1:443');
    expect(reach({ kind: 'host', node: 'b' }, { kind: 'apiserver' }).ok).toBe(true);
  });
});

describe('the API server of several control planes', () => {
  it('is reached through any that is up and that the pod reaches, not only the first', () => {
    world = fakeWorld(['a', 'b', 'c'], ['a', 'b']);
    for (const [index, name] of ['a', 'b', 'c'].entries()) layFlannel(world, name, index);
    settle();
    const from = pod('client', 'c', 'cilium');
    // Without translation, answers come back only where the control plane is on Cilium too.
    cilium('c', { masquerade: 'none' });
    const api = () => reach(end(from), { kind: 'apiserver' });
    expect(api().ok).toBe(false);
    cilium('b');
    expect(reach(end(from), { kind: 'host', node: 'a' }).ok).toBe(false);
    expect(api().ok).toBe(true);
    nodeNamed(world, 'b').machine.reboot();
    expect(api().ok).toBe(false);
  });
});

describe('names from outside, with Talos host DNS', () => {
  const external = { kind: 'dns', question: 'external' } as const;
  const internal = { kind: 'dns', question: 'internal' } as const;
  const FORWARDS =
    'machine:\n  features:\n    hostDNS:\n      enabled: true\n      forwardKubeDNSToHost: true\n';
  let client: NetworkEnd;
  let server: PodObject;

  beforeEach(() => {
    service('kube-dns', 'kube-system', { 'k8s-app': 'kube-dns' });
    for (const name of ['a', 'b']) cilium(name);
    nodeNamed(world, 'b').machine.patchConfig(FORWARDS, 'no-reboot');
    const made = createPod(world, 'coredns-1', 'b', {
      namespace: 'kube-system',
      labels: { 'k8s-app': 'kube-dns' },
      dnsPolicy: 'Default',
    });
    server = attachPod(world, made, 'cilium', '10.245.1.53');
    net('b').resolvers.set(server.metadata.uid ?? '', HOST_DNS_ADDRESS);
    client = end(pod('client', 'a', 'cilium'));
  });

  const BPF = { hostRouting: 'bpf', kubeProxyReplacement: true, masquerade: 'bpf' } as const;

  it.each([
    ['1.16.4 tunnel', { version: '1.16.4', routing: 'tunnel' }, true],
    ['1.16.5 tunnel', { version: '1.16.5', routing: 'tunnel' }, false],
    ['1.15.4 native', { version: '1.15.4', routing: 'native' }, false],
    ['1.17.8 tunnel', { version: '1.17.8', routing: 'tunnel' }, false],
    ['1.18.1 tunnel', { version: '1.18.1', routing: 'tunnel' }, false],
    ['1.18.2 tunnel', { version: '1.18.2', routing: 'tunnel' }, true],
  ] as const)('under BPF host routing, %s', (_name, change, works) => {
    for (const name of ['a', 'b']) cilium(name, { ...BPF, ...change });
    expect(reach(client, external).ok).toBe(works);
    expect(reach(client, internal).ok).toBe(true);
  });

  it('work under legacy host routing', () => {
    expect(reach(client, external).ok).toBe(true);
  });

  it('die with a CoreDNS pod that still asks a resolver which was turned off', () => {
    nodeNamed(world, 'b').machine.patchConfig('machine: {}\n', 'no-reboot');
    expect(reach(client, external).message).toContain('169.254.116.108');
    expect(reach(client, internal).ok).toBe(true);
    net('b').resolvers.set(server.metadata.uid ?? '', 'upstream');
    expect(reach(client, external).ok).toBe(true);
  });
});

describe('policies', () => {
  const POLICY = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'only-web', namespace: 'default' },
    spec: {
      podSelector: { matchLabels: { app: 'db' } },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }],
    },
  } as const;

  beforeEach(() => {
    world.store.create(POLICY as Parameters<typeof world.store.create>[0]);
    settle();
    for (const name of ['a', 'b']) cilium(name, { policy: 'default' });
  });

  it('bind pods on Cilium, not pods on flannel', () => {
    const stranger = pod('stranger', 'a', 'cilium');
    const web = pod('web', 'a', 'cilium', { app: 'web' });
    const db = pod('db', 'b', 'cilium', { app: 'db' });
    const oldDb = pod('old-db', 'b', 'flannel', { app: 'db' });
    expect(reach(end(stranger), end(db)).message).toContain('only-web');
    expect(reach(end(web), end(db)).ok).toBe(true);
    expect(reach(end(stranger), end(oldDb)).ok).toBe(true);
  });

  it('do not know an allowed pod by its labels when it comes from the old network', () => {
    const oldWeb = pod('old-web', 'a', 'flannel', { app: 'web' });
    const db = pod('db', 'b', 'cilium', { app: 'db' });
    expect(reach(end(oldWeb), end(db)).ok).toBe(false);
    for (const name of ['a', 'b']) cilium(name, { policy: 'never' });
    expect(reach(end(oldWeb), end(db)).ok).toBe(true);
  });

  it('let the node’s own kubelet in', () => {
    const db = pod('db', 'b', 'cilium', { app: 'db' });
    expect(reach({ kind: 'host', node: 'b' }, end(db)).ok).toBe(true);
    expect(reach({ kind: 'host', node: 'a' }, end(db)).ok).toBe(false);
  });
});
