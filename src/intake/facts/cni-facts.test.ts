/** Which CNI and kube-proxy run, from objects, annotations, configs and confs. */
import { describe, expect, it } from 'vitest';
import {
  configMap,
  daemonSet,
  factsOf,
  FLANNEL_CONFIG,
  k3s,
  mirror,
  node,
  proxy,
  value,
} from '../testing-objects.ts';

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

  it.each([
    ['{"type": "calico", "ipam": {"type": "host-local", "subnet": "usePodCidr"}}', 'canal'],
    ['{"type": "calico", "ipam": {"type": "calico-ipam"}}', 'calico'],
    ['{"type": "calico"}', 'calico'],
  ])('is told by a conf of %s', (plugin, expected) => {
    const conf = `{"name": "k8s-pod-network", "cniVersion": "0.3.1", "plugins": [${plugin}]}`;
    expect(value(factsOf([], { '10-canal.conflist': conf }).sourceCni)).toBe(expected);
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

  it('is not told by annotations that K3s left when Flannel was switched off', () => {
    const left = { 'flannel.alpha.coreos.com/backend-type': 'vxlan' };
    const after = (args: string) =>
      factsOf([
        node(
          'a',
          { kubeletVersion: 'v1.30.1+k3s1', osImage: 'Debian' },
          { annotations: { ...left, 'k3s.io/node-args': args } },
        ),
      ]).sourceCni;
    expect(value(after('["server","--flannel-backend","vxlan"]'))).toBe('flannel');
    expect(after('["server","--flannel-backend=none"]').known).toBe(false);
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

function rke2(role: string): ReturnType<typeof node> {
  const annotations = role === '' ? {} : { 'rke2.io/node-args': role };
  return node('a', { kubeletVersion: 'v1.31.6+rke2r1', osImage: 'Debian' }, { annotations });
}

describe('kube-proxy of RKE2', () => {
  it.each([
    ['["server"]', true],
    ['["server","--disable-kube-proxy","true","--cni","canal"]', false],
    ['["server","--disable-kube-proxy","--cni","canal"]', false],
    ['["server","--disable-kube-proxy","false"]', true],
    // What an agent says of it counts for nothing, and arguments of others are none.
    ['["agent","--disable-kube-proxy","true"]', undefined],
    ['not JSON', undefined],
    ['', undefined],
  ])('is told by the arguments %s of a node', (args, present) => {
    const facts = factsOf([rke2(args), daemonSet('rke2-canal', 'rancher/hardened-calico:v3')]);
    expect(value(facts.kubeProxy)?.present).toBe(present);
  });

  it('is seen in its pods before anything else', () => {
    const facts = factsOf([
      rke2('["server","--disable-kube-proxy","true"]'),
      mirror('kube-proxy-a', ['kube-proxy', '--proxy-mode=ipvs']),
    ]);
    expect(value(facts.kubeProxy)).toMatchObject({ present: true, mode: { value: 'ipvs' } });
  });
});
