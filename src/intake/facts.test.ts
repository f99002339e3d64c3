/** Facts from objects, configs and files; each with its source, and unknown where nothing told. */
import { describe, expect, it } from 'vitest';
import type { Fact } from '../model/fact.ts';
import type { ClusterFacts } from '../model/facts.ts';
import { deriveFacts } from './facts.ts';
import type { FactOptions } from './facts.ts';
import { read } from './testing.ts';

type Table = Readonly<Record<string, unknown>>;

function factsOf(
  objects: readonly Table[],
  files: Readonly<Record<string, string>> = {},
  options?: FactOptions,
): ClusterFacts {
  const list =
    objects.length === 0
      ? {}
      : { 'snapshot.json': JSON.stringify({ kind: 'List', apiVersion: 'v1', items: objects }) };
  return deriveFacts(read({ ...list, ...files }), options);
}

function node(name: string, info: Table = {}, metadata: Table = {}): Table {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, ...metadata },
    spec: { podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] },
    status: {
      addresses: [
        { type: 'InternalIP', address: '10.0.1.61' },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        kubeletVersion: 'v1.33.2',
        osImage: 'Talos (v1.10.2)',
        containerRuntimeVersion: 'containerd://2.0.5',
        kernelVersion: '6.12.28-talos',
        ...info,
      },
    },
  };
}

function daemonSet(
  name: string,
  image: string,
  more: Table = {},
  containers: readonly Table[] = [],
): Table {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: 'kube-system' },
    spec: {
      selector: {},
      template: { metadata: {}, spec: { containers: [{ name, image, ...more }, ...containers] } },
    },
  };
}

function configMap(name: string, data: Table): Table {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'kube-system' },
    data,
  };
}

const FLANNEL_CONFIG = configMap('kube-flannel-cfg', {
  'net-conf.json': '{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan", "Port": 4789}}',
});

function value<T>(fact: Fact<T>): T | undefined {
  return fact.known ? fact.value : undefined;
}

function proxy(args: readonly string[]): Table {
  return daemonSet('kube-proxy', 'registry.k8s.io/kube-proxy:v1.33.2', { command: args });
}

function k3s(args: string): Table {
  return node(
    'a',
    { kubeletVersion: 'v1.30.1+k3s1', osImage: 'Debian' },
    { annotations: { 'k3s.io/node-args': args } },
  );
}

/** The mirror pod of a static pod. */
function mirror(name: string, command: readonly string[]): Table {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'kube-system' },
    spec: { containers: [{ name: 'c', image: `registry.k8s.io/${name}:v1.33.4`, command }] },
  };
}

describe('nothing read', () => {
  it('leaves every fact unknown, with the command that would tell', () => {
    const facts = factsOf([], { 'v.yaml': 'cni: {exclusive: true}\n' });
    const unknowns = [
      facts.cluster.uid,
      facts.cluster.distribution,
      facts.cluster.podCidrs,
      facts.sourceCni,
      facts.flannel,
      facts.kubeProxy,
      facts.nodes,
    ];
    for (const fact of unknowns)
      expect(fact).toMatchObject({
        known: false,
        command: expect.stringMatching(/^(kubectl|talosctl) /) as string,
      });
    expect(facts.cluster.hasLiveObjects).toBe(false);
    expect(facts.targets).toHaveLength(1);
  });
});

describe('nodes', () => {
  it('tells versions, runtime, addresses and role, each with its path', () => {
    const labels = { labels: { 'node-role.kubernetes.io/control-plane': '' } };
    const facts = factsOf([node('cp-1', {}, labels), node('w-1')]);
    const [first, second] = value(facts.nodes) ?? [];
    expect(first).toMatchObject({
      name: 'cp-1',
      role: { value: 'control-plane' },
      internalIps: ['10.0.1.61'],
      podCidrs: ['10.244.0.0/24'],
      runtime: {
        value: { name: 'containerd', version: '2.0.5' },
        source: {
          file: 'snapshot.json',
          path: 'status.nodeInfo.containerRuntimeVersion',
          object: { kind: 'Node', name: 'cp-1' },
        },
      },
      kubeletVersion: { value: '1.33.2' },
      talosVersion: { value: '1.10.2' },
      unschedulable: false,
    });
    expect(second?.role).toMatchObject({ value: 'worker' });
    expect(facts.cluster).toMatchObject({
      hasLiveObjects: true,
      distribution: { value: 'talos' },
      talosVersion: { value: '1.10.2' },
      kubernetesVersion: { value: '1.33.2' },
    });
  });

  it.each([
    [{ kubeletVersion: 'v1.30.1+k3s1', osImage: 'Debian' }, {}, 'k3s'],
    [{ kubeletVersion: 'v1.30.1+rke2r1', osImage: 'Debian' }, {}, 'rke2'],
    [
      { osImage: 'Debian' },
      { annotations: { 'kubeadm.alpha.kubernetes.io/cri-socket': 'unix:///run/c.sock' } },
      'kubeadm',
    ],
    [{ osImage: 'Debian' }, {}, undefined],
  ])('tells the distribution of %j', (info, metadata, expected) => {
    expect(value(factsOf([node('a', info, metadata)]).cluster.distribution)).toBe(expected);
  });

  it('says which Talos versions were read when they differ, whatever the option', () => {
    const facts = factsOf(
      [node('a'), node('b', { osImage: 'Talos (v1.10.5)' })],
      {},
      { talosVersion: '1.12.0' },
    );
    expect(facts.cluster.talosVersion).toMatchObject({
      known: false,
      missing: 'the Talos version of the nodes: 1.10.2 and 1.10.5 were read',
    });
  });

  it('takes the option where no node tells', () => {
    expect(
      factsOf([], { 'p.yaml': 'cluster: {proxy: {disabled: true}}\n' }, { talosVersion: 'v1.13.0' })
        .cluster.talosVersion,
    ).toMatchObject({ value: '1.13.0', source: { object: { name: '--talos-version' } } });
  });

  it('knows no runtime it cannot name', () => {
    expect(
      value(factsOf([node('a', { containerRuntimeVersion: 'docker://24.0' })]).nodes)?.[0]?.runtime
        .known,
    ).toBe(false);
  });
});

describe('the CNI that runs', () => {
  it.each([
    ['kube-flannel', 'ghcr.io/siderolabs/flannel:v0.26.7', [], 'flannel'],
    ['kube-flannel-ds', 'docker.io/flannel/flannel:v0.25.1', [], 'flannel'],
    [
      'canal',
      'rancher/hardened-calico:v3.29',
      [{ name: 'f', image: 'rancher/hardened-flannel:v0.26.7-build1' }],
      'canal',
    ],
    ['calico-node', 'docker.io/calico/node:v3.29.0', [], 'calico'],
    ['kindnet', 'docker.io/kindest/kindnetd:v2025', [], 'kindnet'],
    ['cilium', 'quay.io/cilium/cilium:v1.16.5@sha256:00', [], 'cilium'],
  ])('is told by the images of the DaemonSet %s', (name, image, containers, expected) => {
    expect(factsOf([daemonSet(name, image, {}, containers)]).sourceCni).toMatchObject({
      known: true,
      value: expected,
      source: { object: { kind: 'DaemonSet', name } },
    });
  });

  it('is the one before Cilium while both run', () => {
    expect(
      value(
        factsOf([
          daemonSet('cilium', 'quay.io/cilium/cilium:v1.16.5'),
          daemonSet('kube-flannel', 'x/flannel:v0.26.7'),
        ]).sourceCni,
      ),
    ).toBe('flannel');
  });

  it('is not told by a DaemonSet of something else, nor by a patch', () => {
    expect(
      factsOf([daemonSet('node-exporter', 'prom/node-exporter:v1')], {
        'p.yaml': 'cluster: {network: {cni: {name: none}}}\n',
      }).sourceCni.known,
    ).toBe(false);
  });

  it('is told by the annotations of K3s, which runs Flannel in its own process', () => {
    const metadata = { annotations: { 'flannel.alpha.coreos.com/backend-type': 'vxlan' } };
    const facts = factsOf([
      node('a', { kubeletVersion: 'v1.30.1+k3s1', osImage: 'Debian' }, metadata),
    ]);
    expect(value(facts.sourceCni)).toBe('flannel');
    const flannel = value(facts.flannel);
    expect(
      [flannel?.backend, flannel?.port].map((fact) => fact && value<string | number>(fact)),
    ).toEqual(['vxlan', 8472]);
    expect(flannel?.daemonSet.known).toBe(false);
  });

  it('is told by the first plugin of a conf', () => {
    const conf =
      '{"name":"cbr0","cniVersion":"1.0.0","plugins":[{"type":"flannel"},{"type":"portmap"}]}';
    expect(
      factsOf([], {
        '10-flannel.conflist': conf,
        '05-cilium.conflist': conf.replace('"flannel"', '"cilium-cni"'),
      }).sourceCni,
    ).toMatchObject({ value: 'flannel', source: { file: '10-flannel.conflist' } });
  });
});

describe('Flannel', () => {
  it('is read from its DaemonSet and ConfigMap', () => {
    const flannel = value(
      factsOf([daemonSet('kube-flannel', 'ghcr.io/siderolabs/flannel:v0.26.7'), FLANNEL_CONFIG])
        .flannel,
    );
    expect(flannel).toMatchObject({
      version: { value: '0.26.7' },
      backend: { value: 'vxlan', source: { path: 'data["net-conf.json"]' } },
      port: { value: 4789 },
      network: { value: '10.244.0.0/16' },
      enforcesPolicies: { value: false },
      daemonSet: { value: { namespace: 'kube-system', name: 'kube-flannel' } },
    });
  });

  it('has the upstream port where the ConfigMap names none, and 4789 on Talos', () => {
    const config = configMap('kube-flannel-cfg', {
      'net-conf.json': '{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}',
    });
    const upstream = value(factsOf([daemonSet('f', 'x/flannel:v1'), config]).flannel);
    expect(upstream && value(upstream.port)).toBe(8472);
    const talos = value(factsOf([node('a'), daemonSet('f', 'x/flannel:v1')]).flannel);
    expect(talos && value(talos.port)).toBe(4789);
    const other = value(factsOf([daemonSet('f', 'x/flannel:v1')]).flannel);
    expect(other?.port.known).toBe(false);
  });

  it('enforces policies with the side-car of Talos 1.13', () => {
    const set = daemonSet('kube-flannel', 'x/flannel:v1', {}, [
      {
        name: 'kube-network-policies',
        image: 'registry.k8s.io/networking/kube-network-policies:v0.9',
      },
    ]);
    const flannel = value(factsOf([set]).flannel);
    expect(flannel && value(flannel.enforcesPolicies)).toBe(true);
  });

  it('survives a ConfigMap that holds nonsense', () => {
    const flannel = value(
      factsOf([
        daemonSet('f', 'x/flannel:v1'),
        configMap('kube-flannel-cfg', { 'net-conf.json': '{"Network": [' }),
      ]).flannel,
    );
    expect(flannel?.backend.known).toBe(false);
  });
});

describe('kube-proxy', () => {
  it.each([
    [['/usr/local/bin/kube-proxy', '--proxy-mode=nftables'], [], 'nftables'],
    [['kube-proxy', '--proxy-mode', 'ipvs'], [], 'ipvs'],
    [['kube-proxy'], [], 'iptables'],
    [
      ['kube-proxy', '--config=/var/lib/kube-proxy/config.conf'],
      [configMap('kube-proxy', { 'config.conf': 'mode: ipvs\n' })],
      'ipvs',
    ],
    [
      ['kube-proxy', '--config=/var/lib/kube-proxy/config.conf'],
      [configMap('kube-proxy', { 'config.conf': 'mode: ""\n' })],
      'iptables',
    ],
    [['kube-proxy', '--config=/var/lib/kube-proxy/config.conf'], [], undefined],
  ])('has its mode from %j', (args, more, mode) => {
    const fact = factsOf([proxy(args), ...more]).kubeProxy;
    expect(fact).toMatchObject({ known: true, value: { present: true } });
    expect(fact.known && value(fact.value.mode)).toBe(mode ?? undefined);
  });

  it('is absent only where the DaemonSets of a cluster were read', () => {
    expect(
      factsOf([node('a'), daemonSet('cilium', 'quay.io/cilium/cilium:v1')]).kubeProxy,
    ).toMatchObject({ known: true, value: { present: false } });
    expect(factsOf([node('a')]).kubeProxy.known).toBe(false);
    expect(factsOf([daemonSet('cilium', 'quay.io/cilium/cilium:v1')]).kubeProxy.known).toBe(false);
  });

  it('runs inside K3s unless that was switched off', () => {
    expect(factsOf([k3s('["server"]')]).kubeProxy).toMatchObject({
      value: { present: true, mode: { value: 'iptables' } },
    });
    expect(factsOf([k3s('["server","--disable-kube-proxy"]')]).kubeProxy).toMatchObject({
      value: { present: false },
    });
  });
});

describe('ranges and names', () => {
  it('come from what runs before what was configured', () => {
    const facts = factsOf([
      mirror('kube-controller-manager-cp-1', ['kcm', '--cluster-cidr=10.1.0.0/16,fd00::/48']),
      mirror('kube-apiserver-cp-1', ['api', '--service-cluster-ip-range=10.2.0.0/16']),
      FLANNEL_CONFIG,
    ]);
    expect(value(facts.cluster.podCidrs)).toEqual(['10.1.0.0/16', 'fd00::/48']);
    expect(value(facts.cluster.serviceCidrs)).toEqual(['10.2.0.0/16']);
    expect(value(facts.cluster.kubernetesVersion)).toBe('1.33.4');
    expect(value(factsOf([FLANNEL_CONFIG]).cluster.podCidrs)).toEqual(['10.244.0.0/16']);
  });

  it('come from kubeadm', () => {
    const config = configMap('kubeadm-config', {
      ClusterConfiguration:
        'clusterName: home\nnetworking: {podSubnet: 10.5.0.0/16, serviceSubnet: 10.6.0.0/16}\n',
    });
    const { cluster } = factsOf([config]);
    expect([
      value(cluster.podCidrs),
      value(cluster.serviceCidrs),
      value(cluster.name),
      value(cluster.distribution),
    ]).toEqual([['10.5.0.0/16'], ['10.6.0.0/16'], 'home', 'kubeadm']);
  });

  it('has the UID of kube-system for its own', () => {
    expect(
      value(
        factsOf([
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system', uid: 'u-1' } },
        ]).cluster.uid,
      ),
    ).toBe('u-1');
  });
});

describe('machine configs', () => {
  const CONFIG = `version: v1alpha1\nmachine:\n  type: controlplane\n  kubelet:\n    nodeIP:\n      validSubnets: [10.0.1.0/24]\n  features:\n    kubePrism: {enabled: true, port: 7446}\ncluster:\n  clusterName: home\n  controlPlane: {endpoint: "https://10.0.1.200:6443"}\n  network:\n    cni: {name: flannel}\n`;

  it('tells what is set with its place, and the default with the place it would have', () => {
    const [config] = factsOf([], { 'cp.yaml': CONFIG }).machineConfigs;
    expect(config).toMatchObject({
      kind: 'config',
      machineType: { value: 'controlplane', source: { file: 'cp.yaml', line: 3, column: 9 } },
      cniName: { value: 'flannel', source: { line: 13, column: 17 } },
      kubePrism: { value: { enabled: true, port: 7446 }, source: { line: 8 } },
      nodeIpValidSubnets: { value: ['10.0.1.0/24'] },
      podSubnets: { value: ['10.244.0.0/16'], source: { line: 12, path: 'cluster.network' } },
      forwardKubeDnsToHost: { value: false },
      clusterName: { value: 'home' },
    });
  });

  it('does not guess a default that depends on the Talos version', () => {
    const text = 'version: v1alpha1\nmachine: {type: worker}\ncluster: {clusterName: home}\n';
    const [config] = factsOf([], { 'w.yaml': text }).machineConfigs;
    expect(config?.cniName).toMatchObject({
      known: false,
      missing: 'the CNI: its default depends on the Talos version',
    });
    const told = (talosVersion: string): string | undefined => {
      const [with_] = factsOf([], { 'w.yaml': text }, { talosVersion }).machineConfigs;
      return with_ && value(with_.cniName);
    };
    expect([told('1.13.9'), told('1.14.0')]).toEqual(['flannel', 'none']);
  });

  it('takes from a patch only what it sets', () => {
    const [patch] = factsOf([], {
      'p.yaml': 'cluster:\n  network:\n    cni:\n      name: none\n',
    }).machineConfigs;
    expect(patch?.cniName).toMatchObject({
      known: true,
      value: 'none',
      source: { line: 4, column: 13 },
    });
    expect(patch?.podSubnets.known).toBe(false);
    expect(patch?.proxyDisabled).toMatchObject({
      missing: 'kube-proxy: the patch p.yaml does not set it',
    });
  });

  it('tells the CNI and the ranges of the cluster', () => {
    const { sourceCni, cluster, flannel } = factsOf([], { 'cp.yaml': CONFIG });
    expect([
      value(sourceCni),
      value(cluster.distribution),
      value(cluster.podCidrs),
      value(cluster.name),
    ]).toEqual(['flannel', 'talos', ['10.244.0.0/16'], 'home']);
    expect(flannel.known && [value(flannel.value.port), value(flannel.value.network)]).toEqual([
      4789,
      '10.244.0.0/16',
    ]);
  });
});

describe('workloads', () => {
  it('are put to their own lists by group, the rest aside', () => {
    const knative = {
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name: 'k' },
      spec: {},
    };
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: {} };
    const policies = ['cilium.io/v2', 'crd.projectcalico.org/v1'].map((apiVersion, index) => ({
      apiVersion,
      kind: index === 0 ? 'CiliumNetworkPolicy' : 'GlobalNetworkPolicy',
      metadata: { name: `p${index}` },
    }));
    const facts = factsOf([knative, service, node('a'), ...policies, daemonSet('d', 'x:1')]);
    expect(facts.workloads.services.map((located) => located.value.metadata.name)).toEqual(['s']);
    expect(facts.workloads.policies.map((located) => located.value.metadata.name)).toEqual([
      'p0',
      'p1',
    ]);
    expect(facts.otherObjects.map(({ object }) => object.metadata.name)).toEqual(['k']);
    expect(facts.workloads.daemonSets[0]?.value).toBe(facts.input.objects.at(-1)?.object);
  });
});
