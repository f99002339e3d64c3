/** Command lines as people type them, to the structured steps they mean. */
import { describe, expect, it } from 'vitest';
import type { RunbookStep } from '../model/runbook.ts';
import { failureOf, read } from './testing.ts';

function step(text: string, files: Readonly<Record<string, string>> = {}): RunbookStep | undefined {
  const input = read({ 'run/book.yaml': `kind: Runbook\nsteps:\n  - ${text}\n`, ...files });
  return input.runbooks[0]?.runbook.steps[0];
}

describe('runbook steps as command lines', () => {
  it.each([
    [
      'kubectl drain talos-cp-01 --ignore-daemonsets --delete-emptydir-data',
      {
        action: 'drain',
        node: 'talos-cp-01',
        force: false,
        ignoreDaemonsets: true,
        deleteEmptydirData: true,
      },
    ],
    [
      'drain node/a --timeout=5m --force=false',
      {
        action: 'drain',
        node: 'a',
        timeoutSeconds: 300,
        force: false,
        ignoreDaemonsets: false,
        deleteEmptydirData: false,
      },
    ],
    ['cordon a', { action: 'cordon', node: 'a' }],
    ['uncordon a', { action: 'uncordon', node: 'a' }],
    [
      'rollout restart daemonset/cilium -n kube-system',
      { action: 'rollout-restart', kind: 'DaemonSet', namespace: 'kube-system', name: 'cilium' },
    ],
    [
      '-n kube-system rollout restart deploy coredns',
      { action: 'rollout-restart', kind: 'Deployment', namespace: 'kube-system', name: 'coredns' },
    ],
    [
      '-n longhorn-system delete pod -l component=instance-manager',
      {
        action: 'delete',
        kind: 'Pod',
        namespace: 'longhorn-system',
        selector: 'component=instance-manager',
      },
    ],
    [
      'delete pods/web -n shop --grace-period=0 --force',
      { action: 'delete', kind: 'Pod', namespace: 'shop', name: 'web', force: true },
    ],
    [
      'label node a net=cilium old-',
      { action: 'label', kind: 'Node', name: 'a', labels: { net: 'cilium', old: null } },
    ],
    [
      'scale sts/db --replicas 0 -n shop',
      { action: 'scale', kind: 'StatefulSet', namespace: 'shop', name: 'db', replicas: 0 },
    ],
    [
      `patch configmap cilium-config -n kube-system --type merge -p '{"data":{"cni-exclusive":"true"}}'`,
      {
        action: 'patch',
        kind: 'ConfigMap',
        namespace: 'kube-system',
        name: 'cilium-config',
        patch: { data: { 'cni-exclusive': 'true' } },
      },
    ],
  ])('kubectl: %s', (line, command) => {
    expect(step(`kubectl: ${JSON.stringify(line)}`)).toEqual({ kubectl: command });
  });

  it.each([
    [
      '-n 10.0.1.61 upgrade --image ghcr.io/siderolabs/installer:v1.10.5',
      { action: 'upgrade', nodes: ['10.0.1.61'], image: 'ghcr.io/siderolabs/installer:v1.10.5' },
    ],
    [
      'talosctl upgrade -n a,b -i x --preserve --wait=false',
      { action: 'upgrade', nodes: ['a', 'b'], image: 'x', preserve: true, wait: false },
    ],
    ['reboot -n all', { action: 'reboot', nodes: ['all'] }],
    [
      '-n 10.0.1.62 service kubelet restart',
      { action: 'service-restart', nodes: ['10.0.1.62'], service: 'kubelet' },
    ],
    ['upgrade-k8s --to 1.33.2', { action: 'upgrade-k8s', to: '1.33.2' }],
    [
      '-n a patch mc --patch @../dns.yaml --mode=try',
      { action: 'patch', nodes: ['a'], patch: 'cluster: {proxy: {disabled: true}}\n', mode: 'try' },
    ],
    [
      `-n a patch machineconfig -p '{"cluster":{"proxy":{"disabled":true}}}'`,
      { action: 'patch', nodes: ['a'], patch: '{"cluster":{"proxy":{"disabled":true}}}' },
    ],
  ])('talos: %s', (line, command) => {
    expect(
      step(`talos: ${JSON.stringify(line)}`, {
        'dns.yaml': 'cluster: {proxy: {disabled: true}}\n',
      }),
    ).toEqual({ talos: command });
  });

  it('helm: files in order, then --set, as Helm lays them over one another', () => {
    const files = {
      'run/a.yaml': 'cni: {exclusive: true, customConf: true}\nMTU: 1400\nhubble: {}\n',
      'run/b.yaml': 'cni: {exclusive: false}\nhubble: null\n',
    };
    const line =
      "helm upgrade --install cilium cilium/cilium --version v1.16.5 -n kube-system -f a.yaml --values=b.yaml --set ipam.operator.clusterPoolIPv4PodCIDRList={10.245.0.0/16,10.246.0.0/16},MTU=1450 --set 'a\\\\.b=x' --set-string k8sServicePort=7445";
    expect(step(`helm: "${line}"`, files)).toEqual({
      helm: {
        action: 'upgrade',
        release: 'cilium',
        namespace: 'kube-system',
        chart: 'cilium/cilium',
        version: '1.16.5',
        values: {
          cni: { exclusive: false, customConf: true },
          MTU: 1450,
          hubble: null,
          ipam: { operator: { clusterPoolIPv4PodCIDRList: ['10.245.0.0/16', '10.246.0.0/16'] } },
          'a.b': 'x',
          k8sServicePort: '7445',
        },
      },
    });
  });

  it('tells the version of the values file that a command uses', () => {
    const input = read({
      'values.yaml': 'cni: {exclusive: true}\n',
      'book.yaml':
        'kind: Runbook\nsteps:\n  - helm: install cilium cilium/cilium --version 1.16.5 -f ./values.yaml\n',
    });
    expect(input.helmValues[0]?.chartVersion).toMatchObject({
      known: true,
      value: '1.16.5',
      source: { file: 'book.yaml', line: 3 },
    });
  });

  it('takes apply with the objects of the file', () => {
    const list =
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n- {apiVersion: v1, kind: Namespace, metadata: {name: b}}\n';
    expect(step('kubectl: apply -f ns.yaml', { 'run/ns.yaml': list })).toMatchObject({
      kubectl: {
        action: 'apply',
        objects: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }],
      },
    });
  });

  it('asks for more of the path when several files could be meant', () => {
    const files = {
      'a/v.yaml': 'cni: {exclusive: true}\n',
      'b/v.yaml': 'cni: {exclusive: true}\n',
    };
    expect(
      failureOf(() => step('helm: install c cilium --version 1.16.5 -f v.yaml', files)).message,
    ).toBe('several of the given files could be "v.yaml"');
  });
});

describe('structured runbooks', () => {
  it('keeps every field, durations included', () => {
    const text = `apiVersion: regauge.dev/v1
kind: Runbook
name: as done
steps:
  - title: wait a little
    reading: {kind: assumed, why: it took that long}
    wait: 1h30m
  - continueOnError: false
    files:
      nodes: [a]
      changes:
        - {write: /etc/cni/net.d/05-cilium.conflist, content: "{}", mode: 384}
        - {rename: /a, to: /b}
  - talos: {action: patch, nodes: [control-planes], patch: "cluster: {proxy: {disabled: true}}", mode: no-reboot}
`;
    const [read1] = read({ 'r.yaml': text }).runbooks;
    expect(read1?.runbook).toEqual({
      apiVersion: 'regauge.dev/v1',
      kind: 'Runbook',
      name: 'as done',
      steps: [
        {
          title: 'wait a little',
          reading: { kind: 'assumed', why: 'it took that long' },
          wait: { seconds: 5400 },
        },
        {
          continueOnError: false,
          files: {
            nodes: ['a'],
            changes: [
              { write: '/etc/cni/net.d/05-cilium.conflist', content: '{}', mode: 384 },
              { rename: '/a', to: '/b' },
            ],
          },
        },
        {
          talos: {
            action: 'patch',
            nodes: ['control-planes'],
            patch: 'cluster: {proxy: {disabled: true}}',
            mode: 'no-reboot',
          },
        },
      ],
    });
  });

  it('places an error inside a patch', () => {
    const text =
      'kind: Runbook\nsteps:\n  - talos:\n      action: patch\n      nodes: [a]\n      patch: |\n        cluster:\n          network: [\n';
    expect(failureOf(() => read({ 'r.yaml': text })).source).toMatchObject({
      file: 'r.yaml',
      line: 9,
    });
  });
});
