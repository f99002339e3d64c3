/** flanneld, kube-proxy, CoreDNS, reconcilers and plain apps on a small world. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Container, PodObject } from '../../model/kubernetes.ts';
import {
  attachPod,
  createPod,
  fakeWorld,
  type FakeWorld,
  nodeNamed,
  type Running,
  runProgram,
} from '../../../test/support/fake-world.ts';
import { networkOf } from '../network/kernel-network.ts';
import { HOST_DNS_ADDRESS } from '../network/node-settings.ts';
import { app } from './app.ts';
import { ciliumAgent } from './cilium/agent.ts';
import { buildConfigStep, installCniBinaries } from './cilium/init-containers.ts';
import { ciliumOperator } from './cilium/operator.ts';
import { coreDns } from './coredns.ts';
import { flanneld } from './flannel/flanneld.ts';
import { installConfig } from './flannel/install-config.ts';
import { argoCd, flux } from './gitops.ts';
import { kubeProxy } from './kube-proxy.ts';
import { csiAttacher } from './longhorn/csi-attacher.ts';
import { longhornManager } from './longhorn/manager.ts';
import { programFor } from './program-for.ts';

let world: FakeWorld;
const SUBNET_ENV = '/run/flannel/subnet.env';

beforeEach(() => {
  world = fakeWorld(['a', 'b']);
  create('ConfigMap', 'kube-system', 'kube-flannel-cfg', {
    data: {
      'cni-conf.json': '{}',
      'net-conf.json': '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","Port":4789}}',
    },
  });
});

function create(
  kind: string,
  namespace: string,
  name: string,
  rest: object,
  labels: object = {},
): void {
  const object = {
    apiVersion: 'v1',
    kind,
    metadata: { name, namespace, labels: { ...labels } },
    ...rest,
  };
  world.store.create(object);
}

function run(seconds: number): void {
  world.kernel.runUntil(world.kernel.now() + seconds * 1000);
}

function hostPod(name: string, container: Partial<Container>): PodObject {
  return createPod(world, name, 'a', { namespace: 'kube-system', hostNetwork: true, container });
}

const DIRECT = [{ name: 'KUBERNETES_SERVICE_HOST', value: '10.0.1.200' }];

function startFlannel(version: string, env: Container['env'] = DIRECT): Running {
  const pod = hostPod(`flannel-${world.store.resourceVersion}`, {
    image: `docker.io/flannel/flannel:v${version}`,
    env: env ?? [],
  });
  const running = runProgram(world, flanneld, pod);
  run(3);
  return running;
}

function server(): { readonly running: Running; readonly upstream: () => string | undefined } {
  const made = createPod(world, `coredns-${world.store.resourceVersion}`, 'a', {
    namespace: 'kube-system',
    labels: { 'k8s-app': 'kube-dns' },
    dnsPolicy: 'Default',
  });
  const pod = attachPod(world, made, 'flannel', '10.244.0.53');
  const running = runProgram(world, coreDns, pod);
  return {
    running,
    upstream: () => networkOf(nodeNamed(world, 'a')).resolvers.get(pod.metadata.uid ?? ''),
  };
}

function exclusive(): string | undefined {
  return world.store.get('ConfigMap', 'kube-system', 'cilium-config')?.data?.['cni-exclusive'];
}

function setExclusive(value: string): void {
  world.store.update('ConfigMap', 'kube-system', 'cilium-config', (map) => ({
    ...map,
    data: { 'cni-exclusive': value },
  }));
}

it.each<[string, string, Partial<Container>, boolean, unknown]>([
  ['flanneld', 'kube-flannel', { image: 'ghcr.io/siderolabs/flannel:v0.26.7' }, false, flanneld],
  [
    'its init container',
    'install-config',
    { image: 'ghcr.io/siderolabs/flannel:v0.26.7' },
    true,
    installConfig,
  ],
  [
    'an agent',
    'cilium-agent',
    { image: 'quay.io/cilium/cilium:v1.16.5@sha256:ab' },
    false,
    ciliumAgent,
  ],
  ['its config', 'config', { image: 'quay.io/cilium/cilium:v1.16.5' }, true, buildConfigStep],
  [
    'its binaries',
    'install-cni-binaries',
    { image: 'quay.io/cilium/cilium:v1.16.5' },
    true,
    installCniBinaries,
  ],
  ['another init step', 'mount-bpf-fs', { image: 'quay.io/cilium/cilium:v1.16.5' }, true, app],
  [
    'the operator',
    'cilium-operator',
    { image: 'quay.io/cilium/operator-generic:v1.16.5' },
    false,
    ciliumOperator,
  ],
  ['kube-proxy', 'kube-proxy', { image: 'registry.k8s.io/kube-proxy:v1.33.0' }, false, kubeProxy],
  ['CoreDNS', 'coredns', { image: 'registry.k8s.io/coredns/coredns:v1.12.1' }, false, coreDns],
  [
    'a manager',
    'longhorn-manager',
    { image: 'longhornio/longhorn-manager:v1.9.0' },
    false,
    longhornManager,
  ],
  [
    'the CSI plugin, of the same image',
    'longhorn-csi-plugin',
    { image: 'longhornio/longhorn-manager:v1.9.0' },
    false,
    app,
  ],
  ['an app', 'web', { image: 'registry.example.com/web:1' }, false, app],
])('recognises %s', (_what, name, rest, init, program) => {
  const container = { name, ...rest };
  const pod = createPod(world, 'p', 'a', { container });
  const spec = init ? { ...pod.spec, containers: [], initContainers: [container] } : pod.spec;
  expect(programFor({ ...pod, spec }, container)).toBe(program);
});

it('recognises Longhorn’s attacher by its namespace', () => {
  const container = { name: 'csi-attacher', image: 'longhornio/csi-attacher:v4.8.1' };
  const own = createPod(world, 'p', 'a', { namespace: 'longhorn-system', container });
  const other = createPod(world, 'p', 'a', { namespace: 'other', container });
  expect([programFor(own, container), programFor(other, container)]).toEqual([csiAttacher, app]);
});

describe('flanneld', () => {
  it('writes subnet.env from the Node’s podCIDR, after its API server answered', () => {
    const running = startFlannel('0.26.7');
    expect(running.log.ready).toBe(true);
    expect(nodeNamed(world, 'a').files.read(SUBNET_ENV)).toBe(
      'FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.0.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n',
    );
  });

  it('without kube-proxy it needs an endpoint of its own', () => {
    const running = startFlannel('0.26.7', []);
    expect(running.log.exit?.message).toContain('dial tcp 10.96.0.1:443: i/o timeout');
    expect(nodeNamed(world, 'a').files.exists(SUBNET_ENV)).toBe(false);
    runProgram(world, kubeProxy, hostPod('kube-proxy', {}));
    run(5);
    expect(startFlannel('0.26.7', []).log.ready).toBe(true);
  });

  it('ends on a node that has no podCIDR', () => {
    world.store.update('Node', undefined, 'a', (node) => ({ ...node, spec: {} }));
    expect(startFlannel('0.26.7').log.exit?.message).toContain('pod cidr not assigned');
  });

  it('ends when Cilium holds its port', () => {
    networkOf(nodeNamed(world, 'a')).setVxlanLink('cilium_vxlan', { port: 4789, up: true });
    const running = startFlannel('0.26.7');
    expect(running.log.exit?.message).toContain(
      'failed to set interface flannel.1 to UP state: address already in use',
    );
  });

  it.each([
    ['0.24.4', true],
    ['0.25.1', false],
    ['0.26.7', false],
    ['0.27.0', true],
  ])('%s leaves its masquerade rules behind: %s', (version, leaves) => {
    startFlannel(version).process.stop('terminated');
    const { flannel } = networkOf(nodeNamed(world, 'a'));
    expect(flannel?.masquerade).toBe(leaves);
    expect(networkOf(nodeNamed(world, 'a')).links()).toContain('flannel.1');
  });
});

describe('CoreDNS', () => {
  const FORWARDS =
    'machine:\n  features:\n    hostDNS: {enabled: true, forwardKubeDNSToHost: true}\n';

  it('is not ready before it reached the API server once', () => {
    const { running } = server();
    run(20);
    expect(running.log.ready).toBe(false);
    runProgram(world, kubeProxy, hostPod('kube-proxy', {}));
    run(20);
    expect(running.log.ready).toBe(true);
  });

  it('keeps the upstream that was there when its pod was made', () => {
    nodeNamed(world, 'a').machine.patchConfig(FORWARDS, 'no-reboot');
    const before = server();
    nodeNamed(world, 'a').machine.patchConfig('machine: {}\n', 'no-reboot');
    expect(before.upstream()).toBe(HOST_DNS_ADDRESS);
    expect(server().upstream()).toBe('upstream');
  });
});

describe('a reconciler', () => {
  const MARK = {
    'kustomize.toolkit.fluxcd.io/name': 'apps',
    'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
  };

  it('Flux puts back what carries its label at its interval, unless suspended', () => {
    create(
      'ConfigMap',
      'kube-system',
      'cilium-config',
      { data: { 'cni-exclusive': 'false' } },
      MARK,
    );
    create('Kustomization', 'flux-system', 'apps', { spec: {} });
    runProgram(world, flux, createPod(world, 'kustomize-controller', 'a'));
    run(10);
    setExclusive('true');
    run(590);
    expect(exclusive()).toBe('true');
    run(20);
    expect(exclusive()).toBe('false');
    expect(world.kernel.occurrences.map(({ kind }) => kind)).toContain('gitops.reverted');
    world.store.update<string>('Kustomization', 'flux-system', 'apps', (object) => ({
      ...object,
      spec: { suspend: true },
    }));
    setExclusive('true');
    run(1_200);
    expect(exclusive()).toBe('true');
  });

  it('Argo CD makes a deleted object again within seconds, only with self-heal', () => {
    const annotations = {
      'argocd.argoproj.io/tracking-id': 'net:/ConfigMap:kube-system/cilium-config',
    };
    world.store.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cilium-config', namespace: 'kube-system', annotations },
      data: { 'cni-exclusive': 'false' },
    } as Parameters<typeof world.store.create>[0]);
    create('Application', 'argocd', 'net', {
      spec: { syncPolicy: { automated: { selfHeal: true } } },
    });
    runProgram(world, argoCd, createPod(world, 'argocd-application-controller-0', 'a'));
    run(10);
    world.store.remove('ConfigMap', 'kube-system', 'cilium-config');
    run(6);
    expect(exclusive()).toBe('false');
    world.store.update<string>('Application', 'argocd', 'net', (object) => ({
      ...object,
      spec: { syncPolicy: {} },
    }));
    world.store.remove('ConfigMap', 'kube-system', 'cilium-config');
    run(60);
    expect(exclusive()).toBeUndefined();
  });

  it('leaves alone what is not its own', () => {
    create('ConfigMap', 'kube-system', 'cilium-config', { data: { 'cni-exclusive': 'false' } });
    runProgram(world, argoCd, createPod(world, 'argocd-application-controller-0', 'a'));
    run(10);
    setExclusive('true');
    run(60);
    expect(exclusive()).toBe('true');
  });
});

it('a plain app is ready after its time; an init container ends; a stopped one says nothing more', () => {
  const main = runProgram(world, app, createPod(world, 'web', 'a'));
  const init = runProgram(world, app, createPod(world, 'init', 'a'), { init: true });
  const stopped = runProgram(world, app, createPod(world, 'gone', 'a'));
  const adopted = runProgram(world, app, createPod(world, 'old', 'a'), { adopted: true });
  expect(adopted.log.ready).toBe(true);
  stopped.process.stop('terminated');
  run(5);
  expect(main.log.ready).toBe(true);
  expect(init.log.exit?.code).toBe(0);
  expect(stopped.log.ready).toBe(false);
});
