/** Cilium values are recognised by content, whoever printed or wrapped them. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { failureOf, read } from './testing.ts';

const VALUES = 'ipam:\n  mode: cluster-pool\ncni:\n  exclusive: false\n  customConf: true\n';

const indent = (text: string, by: number): string => text.replaceAll(/^(?=.)/gm, ' '.repeat(by));

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

function manifest(complete: boolean): string {
  return JSON.stringify({ apiVersion: 'regauge.dev/v1', kind: 'Snapshot', complete, files: [] });
}

describe('a snapshot that regauge made', () => {
  const nodes = '{"kind":"NodeList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}';

  it('is read as any files are, its manifest left out', () => {
    const input = read({ 's/nodes.json': nodes, 's/snapshot.json': manifest(true) });
    expect(input.objects).toHaveLength(1);
    expect(input.ignored.map(({ reason }) => reason)).toEqual(['the manifest of a snapshot']);
  });

  it('is refused while it is not whole: what it lacks looks like what is not there', () => {
    const error = failureOf(() =>
      read({ 's/nodes.json': nodes, 's/snapshot.json': manifest(false) }),
    );
    expect(error.message).toBe('the snapshot was interrupted before it was whole');
    expect(error.hint).toMatch(/regauge snapshot --out/);
  });
});
