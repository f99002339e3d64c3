/** Command lines as people type them, to the structured steps they mean. */
import { describe, expect, it } from 'vitest';
import type { RunbookStep } from '../model/runbook.ts';
import { failureOf, read } from './testing.ts';

function steps(text: string, files: Readonly<Record<string, string>> = {}): readonly RunbookStep[] {
  const input = read({ 'run/book.yaml': `kind: Runbook\nsteps:\n  - ${text}\n`, ...files });
  return input.runbooks[0]?.runbook.steps ?? [];
}

function step(text: string, files: Readonly<Record<string, string>> = {}): RunbookStep | undefined {
  return steps(text, files)[0];
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
    [
      'rollout restart ds -n kube-system',
      { action: 'rollout-restart', kind: 'DaemonSet', namespace: 'kube-system' },
    ],
    [
      'rollout status -n kube-system ds/cilium --timeout=5m',
      {
        action: 'rollout-status',
        kind: 'DaemonSet',
        namespace: 'kube-system',
        name: 'cilium',
        timeoutSeconds: 300,
      },
    ],
    [
      'wait --for=condition=Ready node/a',
      {
        action: 'wait',
        until: { condition: 'Ready', status: 'True' },
        kind: 'Node',
        name: 'a',
        timeoutSeconds: 30,
      },
    ],
    [
      'wait pod -n shop -l app=web --for delete --timeout 90s',
      {
        action: 'wait',
        until: 'deleted',
        kind: 'Pod',
        namespace: 'shop',
        selector: 'app=web',
        timeoutSeconds: 90,
      },
    ],
    [
      'annotate node a flannel.alpha.coreos.com/backend-type-',
      {
        action: 'annotate',
        kind: 'Node',
        name: 'a',
        annotations: { 'flannel.alpha.coreos.com/backend-type': null },
      },
    ],
    [
      'taint nodes a net=moving:NoExecute old:NoSchedule- other-',
      {
        action: 'taint',
        node: 'a',
        add: [{ key: 'net', value: 'moving', effect: 'NoExecute' }],
        remove: [{ key: 'old', effect: 'NoSchedule' }, { key: 'other' }],
      },
    ],
    [
      'delete pod -n kube-system -l k8s-app=cilium --field-selector spec.nodeName=a',
      {
        action: 'delete',
        kind: 'Pod',
        namespace: 'kube-system',
        selector: 'k8s-app=cilium',
        onNode: 'a',
      },
    ],
    ['delete pod --all -n shop', { action: 'delete', kind: 'Pod', namespace: 'shop', all: true }],
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

  it('makes one step for each object or node that a command names', () => {
    expect(steps('kubectl: rollout restart -n kube-system deploy/operator ds/agent')).toEqual([
      {
        kubectl: {
          action: 'rollout-restart',
          kind: 'Deployment',
          namespace: 'kube-system',
          name: 'operator',
        },
      },
      {
        kubectl: {
          action: 'rollout-restart',
          kind: 'DaemonSet',
          namespace: 'kube-system',
          name: 'agent',
        },
      },
    ]);
    expect(steps('{kubectl: cordon a b, continueOnError: false}')).toEqual([
      { kubectl: { action: 'cordon', node: 'a' }, continueOnError: false },
      { kubectl: { action: 'cordon', node: 'b' }, continueOnError: false },
    ]);
  });

  it.each([
    ['kubectl uncordon a', { kubectl: { action: 'uncordon', node: 'a' } }],
    ['talosctl -n a reboot', { talos: { action: 'reboot', nodes: ['a'] } }],
    ['sleep 90', { wait: { seconds: 90 } }],
    ['cilium status --wait', { look: 'cilium status --wait' }],
    ['kubectl get pods -A -o wide --watch', { look: 'kubectl get pods -A -o wide --watch' }],
    ['talosctl -n a -e b service kubelet', { look: 'talosctl -n a -e b service kubelet' }],
    ['talosctl -n a etcd snapshot db', { look: 'talosctl -n a etcd snapshot db' }],
    ['helm repo update', { look: 'helm repo update' }],
  ])('takes a line as it would be typed: %s', (line, expected) => {
    expect(step(line)).toEqual(expected);
  });

  it.each([
    ['kubectl: get nodes', 'kubectl get nodes'],
    ['talos: health', 'talosctl health'],
    ['helm: list -A', 'helm list -A'],
  ])('keeps what only reads, and does nothing for it: %s', (line, look) => {
    expect(step(line)).toEqual({ look });
  });

  it.each([
    ['iptables -F', /"iptables" cannot be rehearsed/],
    ['talosctl -n a etcd leave', /"etcd" cannot be rehearsed/],
    ['kubectl rollout undo ds/a', /"undo" cannot be rehearsed/],
    ['kubectl wait pod/a', /--for is missing/],
    ['kubectl wait pod/a --for=jsonpath={.status.phase}=Running', /cannot be rehearsed/],
    ['kubectl wait pod --for=delete', /the name, or -l with a selector, or --all, is missing/],
    ['kubectl taint nodes a net=moving', /"net=moving" is no taint/],
    ['kubectl delete pod --field-selector status.phase=Failed', /cannot be rehearsed/],
  ])('refuses what it cannot play: %s', (line, expected) => {
    expect(failureOf(() => step(line)).message).toMatch(expected);
  });

  it('helm: an upgrade that is told no values keeps those of the release', () => {
    const upgrade = 'helm upgrade cilium cilium/cilium --version 1.16.5 -n kube-system';
    expect(step(upgrade)).toMatchObject({ helm: { values: {}, reuseValues: true } });
    expect(step(`${upgrade} --reset-values`)).not.toHaveProperty('helm.reuseValues');
    expect(step(`${upgrade} --set MTU=1400`)).not.toHaveProperty('helm.reuseValues');
    expect(step(`${upgrade} --set MTU=1400 --reuse-values`)).toHaveProperty('helm.reuseValues');
    expect(step(`${upgrade} --atomic --timeout 2m`)).toMatchObject({
      helm: { wait: true, atomic: true, timeoutSeconds: 120 },
    });
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
