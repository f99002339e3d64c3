/** Facts about the cluster; each with its source, and unknown where nothing told. */
import { describe, expect, it } from 'vitest';
import {
  configMap,
  daemonSet,
  factsOf,
  FLANNEL_CONFIG,
  k3s,
  mirror,
  node,
  value,
} from './testing-objects.ts';

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

  it('come from what servers of K3s were started with, and not from its agents', () => {
    const { cluster } = factsOf([k3s('["server","--cluster-cidr=10.7.0.0/16"]')]);
    expect([
      value(cluster.podCidrs),
      value(cluster.serviceCidrs),
      value(cluster.apiEndpoint),
    ]).toEqual([['10.7.0.0/16'], ['10.43.0.0/16'], { host: '127.0.0.1', port: 6444 }]);
    expect(factsOf([k3s('["agent"]')]).cluster.podCidrs.known).toBe(false);
    const moved = factsOf([k3s('["server","--lb-server-port","7444"]')]);
    expect(moved.cluster.apiEndpoint.known).toBe(false);
  });

  it('knows the API’s own address from kube-proxy before what the cluster was made with', () => {
    const made = configMap('kubeadm-config', {
      ClusterConfiguration: 'controlPlaneEndpoint: api.example.com\n',
    });
    const given = configMap('kube-proxy', {
      'kubeconfig.conf':
        'kind: Config\nclusters: [{cluster: {server: "https://10.0.5.10:7443"}, name: default}]\n',
    });
    const untold = configMap('kube-proxy', { 'config.conf': 'mode: ""' });
    expect(
      [[made, given], [made], [untold]].map((read) => factsOf(read).cluster.apiEndpoint),
    ).toMatchObject([
      { value: { host: '10.0.5.10', port: 7443 } },
      { value: { host: 'api.example.com', port: 6443 } },
      { known: false, command: 'kubectl get configmap -n kube-system kube-proxy -o yaml' },
    ]);
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
