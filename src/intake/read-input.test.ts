/** Documents are recognised by content: samples as the real commands print them. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { deriveFacts } from './facts.ts';
import { failureOf, read } from './testing.ts';

const VALUES = 'ipam:\n  mode: cluster-pool\ncni:\n  exclusive: false\n  customConf: true\n';

const MACHINE_CONFIG = `version: v1alpha1
debug: false
machine:
  type: controlplane
  token: redacted
  features:
    hostDNS:
      enabled: true
      forwardKubeDNSToHost: true
cluster:
  clusterName: home
  controlPlane:
    endpoint: https://10.0.1.200:6443
  network:
    podSubnets:
      - 10.244.0.0/16
`;

const indent = (text: string, by: number): string => text.replaceAll(/^(?=.)/gm, ' '.repeat(by));

function resource(id: string): string {
  return `node: 10.0.1.61\nmetadata:\n  namespace: config\n  type: MachineConfigs.config.talos.dev\n  id: ${id}\nspec: |\n${indent(MACHINE_CONFIG, 2)}`;
}

function pod(name: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  namespace: shop\nspec:\n  containers:\n    - name: web\n      image: web:1\n`;
}

describe('Cilium Helm values', () => {
  it('are recognised by their keys, whatever the name', () => {
    const [values] = read({ 'my stuff': VALUES }).helmValues;
    expect(values).toMatchObject({
      chart: 'cilium',
      role: 'target',
      chartVersion: { known: false },
    });
    expect(values?.tree.at('cni.exclusive')?.source).toMatchObject({
      file: 'my stuff',
      line: 4,
      column: 14,
    });
  });

  it.each(['USER-SUPPLIED VALUES:\n', 'COMPUTED VALUES:\n'])(
    'are live when helm printed them under %j',
    (header) => {
      const [values] = read({ 'out.txt': header + VALUES }).helmValues;
      expect(values?.role).toBe('live');
      expect(values?.tree.value).toEqual({
        ipam: { mode: 'cluster-pool' },
        cni: { exclusive: false, customConf: true },
      });
      expect(values?.tree.at('cni.customConf')?.source).toMatchObject({ line: 6, column: 15 });
    },
  );

  it('are read from JSON, with positions', () => {
    const input = read(
      { 'live.json': '{\n  "cni": {"exclusive": true},\n  "hubble": null\n}' },
      { roles: { 'live.json': 'live' } },
    );
    expect(input.helmValues[0]?.role).toBe('live');
    expect(input.helmValues[0]?.tree.at('cni.exclusive')?.source).toMatchObject({
      line: 2,
      column: 24,
      path: 'cni.exclusive',
    });
  });

  it('are read as YAML 1.1, as Helm reads them', () => {
    const [values] = read({
      'v.yaml': 'cni: {exclusive: off}\nbpf: {masquerade: "yes"}\n',
    }).helmValues;
    expect(values?.tree.value).toEqual({ cni: { exclusive: false }, bpf: { masquerade: 'yes' } });
  });

  it('are found under the name of the dependency in a wrapper chart', () => {
    const input = read({
      'chart/values.yaml': `extra: 1\ncilium:\n${indent(VALUES, 2)}`,
      'chart/Chart.yaml':
        'apiVersion: v2\nname: net\nversion: 0.1.0\ndependencies:\n  - name: cilium\n    version: 1.16.5\n    repository: https://helm.cilium.io/\n',
    });
    expect(input.helmValues[0]?.tree.at('cni.exclusive')).toMatchObject({
      value: false,
      source: { line: 6, column: 16 },
    });
    expect(input.helmValues[0]?.chartVersion).toEqual({
      known: true,
      value: '1.16.5',
      source: { file: 'chart/Chart.yaml', line: 6, column: 14, path: 'dependencies[0].version' },
    });
  });

  it('are not confused with a Talos config that also has a "cluster" key', () => {
    const input = read({
      'a.yaml': 'cluster:\n  name: home\n  id: 1\nhubble: {enabled: true}\n',
      'b.yaml': 'cluster:\n  network:\n    cni: {name: none}\n',
    });
    expect(input.helmValues.map(({ source }) => source.file)).toEqual(['a.yaml']);
    expect(input.machineConfigs.map(({ source }) => source.file)).toEqual(['b.yaml']);
  });

  it.each([
    ['# cilium v1.16.5\n', '1.16.5'],
    ['# helm upgrade --install cilium cilium/cilium --version 1.15.3 -f values.yaml\n', '1.15.3'],
    ['# chart: cilium 1.18.0-rc.1\n', '1.18.0-rc.1'],
  ])('take their version from the comment %j', (comment, version) => {
    expect(read({ 'v.yaml': comment + VALUES }).helmValues[0]?.chartVersion).toMatchObject({
      value: version,
      source: { file: 'v.yaml', line: 1 },
    });
  });

  it.each([
    '# needs kernel 5.10.0 for cilium\n',
    '# longhorn 1.2.3\n',
    '# cilium on 10.244.0.0/16\n',
  ])('do not take %j for a version', (comment) => {
    expect(read({ 'v.yaml': comment + VALUES }).helmValues[0]?.chartVersion.known).toBe(false);
  });

  it('take the version of the option before any other, and say unknown when files disagree', () => {
    const files = {
      'a.yaml': `# cilium 1.16.5\n${VALUES}`,
      'b.yaml': VALUES,
      'c.yaml': `# cilium 1.17.0\n${VALUES}`,
    };
    const versions = read(files).helmValues.map(({ chartVersion }) =>
      chartVersion.known ? chartVersion.value : chartVersion.missing,
    );
    expect(versions).toEqual([
      '1.16.5',
      'the version of the Cilium chart: the files name 1.16.5 and 1.17.0',
      '1.17.0',
    ]);
    expect(
      read(files, { ciliumVersion: '1.19.0' }).helmValues.map(
        ({ chartVersion }) => chartVersion.known && chartVersion.value,
      ),
    ).toEqual(['1.19.0', '1.19.0', '1.19.0']);
  });
});

describe('releases', () => {
  it('reads a Flux HelmRelease', () => {
    const text = `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: cilium, namespace: kube-system}\nspec:\n  chart:\n    spec:\n      chart: cilium\n      version: 1.16.5\n  values:\n    cni:\n      exclusive: false\n`;
    const input = read({ 'hr.yaml': text });
    expect(input.objects).toHaveLength(1);
    expect(input.helmValues[0]).toMatchObject({
      role: 'target',
      chartVersion: { known: true, value: '1.16.5', source: { line: 8 } },
    });
    expect(input.helmValues[0]?.tree.at('cni.exclusive')?.source).toMatchObject({
      line: 11,
      column: 18,
    });
  });

  it('takes no range for a version', () => {
    const text = `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: cilium}\nspec:\n  chart: {spec: {chart: cilium, version: 1.16.x}}\n  values: {cni: {exclusive: true}}\n`;
    expect(read({ 'hr.yaml': text }).helmValues[0]?.chartVersion.known).toBe(false);
  });

  it('reads an Argo CD Application with values as text, in file positions', () => {
    const text = `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: cilium}\nspec:\n  sources:\n    - repoURL: https://example.org\n    - chart: cilium\n      targetRevision: v1.18.2\n      helm:\n        values: |\n          cni:\n            customConf: true\n`;
    const [values] = read({ 'app.yaml': text }).helmValues;
    expect(values?.chartVersion).toMatchObject({ value: '1.18.2' });
    expect(values?.tree.at('cni.customConf')?.source).toMatchObject({
      file: 'app.yaml',
      line: 12,
      column: 25,
    });
  });

  it('reads the HelmChartConfig of RKE2', () => {
    const text =
      'apiVersion: helm.cattle.io/v1\nkind: HelmChartConfig\nmetadata: {name: rke2-cilium, namespace: kube-system}\nspec:\n  valuesContent: |-\n    kubeProxyReplacement: true\n';
    expect(read({ 'c.yaml': text }).helmValues[0]?.tree.value).toEqual({
      kubeProxyReplacement: true,
    });
  });

  it("reads Helm's own record, and keeps no secret", () => {
    const record = {
      chart: { metadata: { name: 'cilium', version: '1.15.4' } },
      config: { tunnelProtocol: 'vxlan' },
    };
    const data = Buffer.from(gzipSync(JSON.stringify(record)).toString('base64')).toString(
      'base64',
    );
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'sh.helm.release.v1.cilium.v1',
        labels: { owner: 'helm', status: 'deployed' },
      },
      data: { release: data },
    };
    const input = read({ 's.json': JSON.stringify(secret) });
    expect(input.helmValues[0]).toMatchObject({ role: 'live', chartVersion: { value: '1.15.4' } });
    expect(input.helmValues[0]?.tree.at('tunnelProtocol')?.value).toBe('vxlan');
    expect(
      JSON.stringify(input.objects.map(({ object, tree }) => [object, tree.value])),
    ).not.toContain(data);
  });

  it('takes the version of live values from helm list', () => {
    const list = [
      {
        name: 'cilium',
        namespace: 'kube-system',
        revision: '3',
        status: 'deployed',
        chart: 'cilium-1.15.1',
        app_version: '1.15.1',
      },
    ];
    const input = read({
      'list.json': JSON.stringify(list),
      'live.txt': `USER-SUPPLIED VALUES:\n${VALUES}`,
      'new.yaml': VALUES,
    });
    expect(
      input.helmValues.map(({ role, chartVersion }) => [
        role,
        chartVersion.known && chartVersion.value,
      ]),
    ).toEqual([
      ['live', '1.15.1'],
      ['target', false],
    ]);
  });
});

describe('Talos machine configs', () => {
  it('tells a config from a patch', () => {
    const input = read({
      'cp.yaml': MACHINE_CONFIG,
      'patch.yaml': 'cluster:\n  proxy:\n    disabled: true\n',
    });
    expect(input.machineConfigs.map(({ kind, style }) => [kind, style])).toEqual([
      ['config', 'v1alpha1'],
      ['patch', 'v1alpha1'],
    ]);
  });

  it('reads several documents of one config, and the style they tell', () => {
    const text = `${MACHINE_CONFIG}---\napiVersion: v1alpha1\nkind: KubeFlannelCNIConfig\nbackendType: vxlan\n---\napiVersion: v1alpha1\nkind: HostnameConfig\nhostname: talos-cp-01\n`;
    const [config] = read({ 'cp.yaml': text }).machineConfigs;
    expect(config).toMatchObject({
      kind: 'config',
      style: 'documents',
      node: { known: true, value: 'talos-cp-01', source: { line: 24 } },
    });
    expect(config?.documents.map(({ kind }) => kind)).toEqual([
      'v1alpha1',
      'KubeFlannelCNIConfig',
      'HostnameConfig',
    ]);
  });

  it.each([
    ['an object (Talos up to 1.11)', `spec:\n${indent(MACHINE_CONFIG, 4)}`],
    ['a text (Talos from 1.12)', `spec: |\n${indent(MACHINE_CONFIG, 4)}`],
  ])('reads talosctl get machineconfig -o yaml with spec as %s', (_name, spec) => {
    const text = `node: 10.0.1.61\nmetadata:\n    namespace: config\n    type: MachineConfigs.config.talos.dev\n    id: v1alpha1\n    phase: running\n${spec}`;
    const [config] = read({ 'mc.yaml': text }).machineConfigs;
    expect(config).toMatchObject({ kind: 'config', node: { known: true, value: '10.0.1.61' } });
    const located = config?.documents[0]?.tree.at('machine.features.hostDNS.enabled');
    expect(located).toMatchObject({
      value: true,
      source: { file: 'mc.yaml', line: 15, column: 20 },
    });
  });

  it('names the node by its address, leaves out the persistent copy', () => {
    const node = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'talos-cp-01' },
      status: { addresses: [{ type: 'InternalIP', address: '10.0.1.61' }] },
    });
    const input = read({
      'mc.yaml': `${resource('v1alpha1')}---\n${resource('persistent')}`,
      'nodes.json': node,
    });
    expect(input.machineConfigs.map((config) => config.node)).toMatchObject([
      { known: true, value: 'talos-cp-01' },
    ]);
    expect(input.ignored[0]?.reason).toContain('persistent');
  });

  it('reads a JSON6902 patch as what it amounts to, with positions', () => {
    const text =
      '- op: add\n  path: /cluster/network/cni\n  value:\n    name: none\n- op: replace\n  path: /cluster/proxy/disabled\n  value: true\n- op: remove\n  path: /machine/sysctls\n';
    const [config] = read({ 'p.yaml': text }).machineConfigs;
    expect(config?.kind).toBe('patch');
    const tree = config?.documents[0]?.tree;
    expect(tree?.value).toEqual({
      cluster: { network: { cni: { name: 'none' } }, proxy: { disabled: true } },
    });
    expect(tree?.at('cluster.network.cni.name')?.source).toMatchObject({ line: 4, column: 11 });
    expect(tree?.at('cluster.proxy.disabled')?.source).toMatchObject({ line: 7, column: 10 });
    expect(tree?.nearest('cluster.network.podSubnets')).toMatchObject({ line: 2 });
  });
});

describe('CNI confs and listings', () => {
  it('takes confs by name, broken or not, and by content', () => {
    const input = read({
      'snap/talos-cp-01/etc/cni/net.d/05-cilium.conflist': '{"cniVersion": "0.3.1", "plugins": [',
      '10-flannel.conflist.cilium_bak': '{}',
      'net.json': '{"cniVersion": "1.0.0", "name": "cbr0", "plugins": [{"type": "flannel"}]}',
    });
    expect(
      input.cniConfs.map(({ name, directory, node }) => [
        name,
        directory.known && directory.value,
        node.known && node.value,
      ]),
    ).toEqual([
      ['05-cilium.conflist', '/etc/cni/net.d', 'talos-cp-01'],
      ['10-flannel.conflist.cilium_bak', false, false],
      ['net.json', false, false],
    ]);
  });

  it.each(['resolv.conf', 'sysctl.conf'])('does not take %s for a conf', (name) => {
    expect(failureOf(() => read({ [name]: 'nameserver 10.0.0.1\n' })).message).toContain(
      'nothing here is recognised',
    );
  });

  it('drops a node guessed from a path that no Node object has', () => {
    const node = JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'cp-1' } });
    const confs = read({
      'nodes.json': node,
      'x/etc/cni/net.d/a.conf': '{}',
      'cp-1/etc/cni/net.d/a.conf': '{}',
    }).cniConfs;
    expect(confs.map((conf) => conf.node.known)).toEqual([false, true]);
  });

  it('reads ls -la under a prompt, with modes, links and the directory on the host', () => {
    const text =
      '$ kubectl exec -n kube-system daemonset/cilium -- ls -la /host/etc/cni/net.d/\ntotal 16\ndrwxr-xr-x 2 root root 4096 Jan 13 15:24 .\ndrwxr-xr-x 3 root root 4096 2026-01-13 15:24:11.123 +0000 ..\n-rw------- 1 root root  120 Jan 13 15:24 05-cilium.conflist\nlrwxrwxrwx 1 root root   10 Jan 13 15:24 a.conf -> b.conf\n';
    expect(read({ 'ls.txt': text }).listings).toMatchObject([
      {
        directory: '/etc/cni/net.d',
        entries: [
          { name: '05-cilium.conflist', type: 'file', mode: 0o600 },
          { name: 'a.conf', type: 'symlink', mode: 0o777, target: 'b.conf' },
        ],
      },
    ]);
  });

  it("reads the post-mortem's bare names under a comment", () => {
    const text =
      '# What kubelet sees in /etc/cni/net.d/\n05-cilium.conflist\n10-flannel.conflist\n';
    expect(read({ listing: text }).listings).toMatchObject([
      {
        directory: '/etc/cni/net.d',
        entries: [{ name: '05-cilium.conflist' }, { name: '10-flannel.conflist' }],
      },
    ]);
  });

  it('reads talosctl ls -l of several nodes', () => {
    const text =
      'NODE        MODE         UID   GID   SIZE(B)   LASTMOD           NAME\n10.0.1.61   drwx------   0     0     60        Jan 13 15:24:11   .\n10.0.1.61   -rw-r--r--   0     0     292       Jan 13 15:24:11   10-flannel.conflist\n10.0.1.62   -rw-------   0     0     292       Jan 13 15:24:11   05-cilium.conflist\n';
    const listings = read({ 'cni-net.d.txt': text }).listings;
    expect(listings.map(({ node, entries }) => [node.known && node.value, entries])).toEqual([
      ['10.0.1.61', [{ name: '10-flannel.conflist', type: 'file', mode: 0o644 }]],
      ['10.0.1.62', [{ name: '05-cilium.conflist', type: 'file', mode: 0o600 }]],
    ]);
  });

  it('reads ls -R of several directories', () => {
    const text = '/etc/cni/net.d:\n10-flannel.conflist\n\n/opt/cni/bin:\nbridge\nflannel\n';
    expect(
      read({ out: text }).listings.map(({ directory, entries }) => [directory, entries.length]),
    ).toEqual([
      ['/etc/cni/net.d', 1],
      ['/opt/cni/bin', 2],
    ]);
  });
});

describe('Kubernetes objects', () => {
  it('reads manifests of several documents with their places', () => {
    const input = read({ 'm.yaml': `# two\n${pod('a')}---\n${pod('b')}` });
    expect(input.objects.map(({ object, source }) => [object.metadata.name, source.line])).toEqual([
      ['a', 2],
      ['b', 12],
    ]);
    expect(input.objects[1]?.source.object).toEqual({ kind: 'Pod', namespace: 'shop', name: 'b' });
    expect(input.objects[1]?.tree.at(['spec', 'containers', 0, 'image'])?.source).toMatchObject({
      line: 20,
      column: 14,
    });
  });

  it('reads kubectl get -o yaml and -o json alike, small and item by item', () => {
    const items = Array.from(
      { length: 400 },
      (_, index) => `- ${indent(pod(`pod-${index}`), 2).trimStart()}`,
    );
    const small = read({
      'l.yaml': `apiVersion: v1\nitems:\n${items.slice(0, 3).join('')}kind: List\nmetadata:\n  resourceVersion: ""\n`,
    });
    const large = read({
      'l.yaml': `apiVersion: v1\nitems:\n${items.join('')}kind: List\nmetadata:\n  resourceVersion: ""\n# ${'x'.repeat(140_000)}\n`,
    });
    expect(large.objects).toHaveLength(400);
    for (const input of [small, large]) {
      expect(input.objects[2]).toMatchObject({
        object: { metadata: { name: 'pod-2' } },
        source: { line: 21, column: 3 },
      });
      expect(input.objects[2]?.tree.at('spec.containers.0.image')?.source).toMatchObject({
        line: 29,
        column: 16,
      });
      expect(input.objects[2]?.tree.nearest('spec.nodeName')).toMatchObject({
        line: 26,
        column: 3,
      });
    }
    const json = read({
      'l.json': JSON.stringify({
        kind: 'List',
        apiVersion: 'v1',
        items: large.objects.map(({ object }) => object),
      }),
    });
    expect(json.objects.map(({ object }) => object)).toEqual(
      large.objects.map(({ object }) => object),
    );
    expect(json.objects[7]?.source).toMatchObject({ path: 'items[7]', line: 1 });
  });

  it('reads typed lists whose items leave out their kind (kubectl cluster-info dump)', () => {
    const nodes = {
      kind: 'NodeList',
      apiVersion: 'v1',
      metadata: {},
      items: [{ metadata: { name: 'cp-1' } }],
    };
    const sets = { kind: 'DaemonSetList', apiVersion: 'apps/v1', items: [] };
    const input = read({
      dump: `${JSON.stringify(nodes, undefined, 4)}\n${JSON.stringify(sets)}\n==== START logs for container a of pod b/c ====\n{ not json\n==== END logs for container a of pod b/c ====\n`,
    });
    expect(
      input.objects.map(({ object }) => [object.apiVersion, object.kind, object.metadata.name]),
    ).toEqual([['v1', 'Node', 'cp-1']]);
    expect(deriveFacts(input).cluster.hasLiveObjects).toBe(true);
  });

  it('leaves a partial object found in a directory aside', () => {
    const text =
      'apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a}\nspec: {template: {spec: {tolerations: []}}}\n';
    expect(failureOf(() => read({ 'p.yaml': text })).message).toContain(
      'spec.template.spec.containers',
    );
  });
});
