/** Every kind of broken input gives one error: its code, place, words and what to do about it. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegaugeError } from '../base/errors.ts';
import { deriveFacts } from './facts.ts';
import { readInput } from './read-input.ts';
import { failureOf, read, spoken, thrownBy } from './testing.ts';

const broken = (files: Readonly<Record<string, string>>): RegaugeError =>
  failureOf(() => read(files));

const RUNBOOK = (step: string): string => `kind: Runbook\nsteps:\n  - ${step}\n`;

describe('bad input', () => {
  it.each([
    ['an unclosed list', 'v.yaml', 'cni: [a\nbpf: {}\n', /^v\.yaml:2:1: broken YAML: /],
    [
      'a duplicate key',
      'v.yaml',
      'ipam:\n  mode: a\n  mode: b\n',
      /^v\.yaml:3:3: duplicate key "mode": it is already given in line 2$/,
    ],
    [
      'a duplicate key in the second document',
      'v.yaml',
      'cni: {exclusive: true}\n---\nmachine:\n  type: a\nmachine: {}\n',
      /^v\.yaml:5:1: duplicate key "machine": it is already given in line 3$/,
    ],
    ['a tab', 'v.yaml', 'cni:\n\texclusive: true\n', /^v\.yaml:2:1: broken YAML: tabs/],
    [
      'broken JSON',
      'pods.json',
      '{"kind": "List",\n "items": [}\n',
      /^pods\.json:2:12: broken JSON: expected a value, found "}"$/,
    ],
    [
      'a duplicate key in JSON',
      'v.json',
      '{"cni": {"a": [{"a": 1}],\n  "b": "a",\n "a": 2}}',
      /^v\.json:3:2: duplicate key "a": it is already given in line 1$/,
    ],
    ['an alias bomb', 'v.yaml', bomb(), /^v\.yaml:7:\d+: anchors explode/],
    ['prose', 'notes', 'just some words\n', /^notes:1:1: nothing here is recognised: plain text/],
    [
      'an empty file',
      'empty.yaml',
      '',
      /^empty\.yaml:1:1: nothing here is recognised: the file holds no document$/,
    ],
    [
      'only comments',
      'empty.yaml',
      '# nothing\n---\n# here\n',
      /^empty\.yaml:1:1: nothing here is recognised: the file holds no document$/,
    ],
    [
      'a list of numbers',
      'l.yaml',
      '- 1\n- 2\n',
      /^l\.yaml:1:1: nothing here is recognised: a list that is neither/,
    ],
    [
      'a nameless object',
      'p.yaml',
      'apiVersion: v1\nkind: Pod\nspec: {}\n',
      /^p\.yaml:1:1: nothing here is recognised: the Pod: without metadata\.name$/,
    ],
    [
      'a pod without containers',
      'p.yaml',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {}\n',
      /^p\.yaml:1:1: nothing here is recognised: the Pod web: spec\.containers is no list of containers$/,
    ],
    [
      'labels that are no texts',
      'p.yaml',
      'apiVersion: v1\nkind: Node\nmetadata: {name: cp-1, labels: {on: true}}\n',
      /^p\.yaml:1:1: .*metadata\.labels: the value of "true" is not a text; quote it$/,
    ],
    [
      'a half-written template',
      't.yaml',
      'cni:\n  exclusive: {{ .Values.x }}\n',
      /^t\.yaml:2:15: a key is a mapping or a list$/,
    ],
  ])('%s', (_name, file, text, expected) => {
    const error = broken({ [file]: text });
    expect(error.code).toBe('bad-input');
    expect(spoken(error)).toMatch(expected);
    expect(error.message).not.toContain('\n');
  });

  it('tells what is known when nothing is recognised', () => {
    expect(broken({ notes: 'words\n' }).hint).toContain(
      'Cilium Helm values, Talos machine configs',
    );
  });

  it('is an error when nothing that was given can be judged', () => {
    const other = 'replicaCount: 2\n';
    expect(spoken(broken({ 'v.yaml': other }))).toBe(
      'v.yaml:1:1: nothing here can be judged: a mapping without apiVersion and kind that has no key of the Cilium chart: values of another chart?',
    );
    expect(broken({ a: 'apiVersion: v1\nkind: Config\n', b: other }).message).toBe(
      'nothing here can be judged: a kubeconfig (and nothing else in 2 files)',
    );
    expect(
      failureOf(() => readInput([{ path: 'd/notes.md', text: '# words', named: false }])).message,
    ).toContain('nothing here can be judged');
    expect(readInput([]).objects).toEqual([]);
  });

  it('places errors in CRLF files', () => {
    expect(spoken(broken({ 'v.yaml': 'ipam:\r\n  mode: a\r\n  mode: b\r\n' }))).toBe(
      'v.yaml:3:3: duplicate key "mode": it is already given in line 2',
    );
  });

  it('places errors inside the text of another document', () => {
    const application =
      'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: cilium}\nspec:\n  source:\n    chart: cilium\n    targetRevision: 1.16.5\n    helm:\n      values: |\n        cni:\n          exclusive: [\n';
    expect(spoken(broken({ 'app.yaml': application }))).toMatch(
      /^app\.yaml:1[12]:\d+: broken YAML: /,
    );
    const resource =
      'node: 10.0.1.61\nmetadata:\n  namespace: config\n  type: MachineConfigs.config.talos.dev\n  id: v1alpha1\nspec: |\n  machine:\n    type: worker\n  machine:\n    type: worker\n';
    expect(spoken(broken({ 'mc.yaml': resource }))).toBe(
      'mc.yaml:9:3: duplicate key "machine": it is already given in line 7',
    );
  });

  it('recognises other things for what they are, and goes on', () => {
    const input = read({
      'values.yaml': 'cni: {exclusive: true}\n',
      'other.yaml': 'replicaCount: 2\ningress: {enabled: true}\n',
      kubeconfig: 'apiVersion: v1\nkind: Config\nclusters: []\n',
      'kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n',
    });
    expect(input.helmValues).toHaveLength(1);
    expect(input.ignored.map(({ source, reason }) => `${source.file}: ${reason}`)).toEqual([
      'other.yaml: a mapping without apiVersion and kind that has no key of the Cilium chart: values of another chart?',
      'kubeconfig: a kubeconfig',
      'kustomization.yaml: a kustomization: give what "kubectl kustomize" prints of it',
    ]);
  });

  it.each([
    ['kubectl: drain node-1 --forse', /^r\.yaml:3:27: kubectl drain: unknown flag --forse$/],
    ['kubectl: exec pod -- ls', /^r\.yaml:3:14: kubectl: "exec" cannot be rehearsed$/],
    ['kubectl: get pods | grep x', /^r\.yaml:3:23: pipes, lists and redirections are not run$/],
    ['kubectl: drain $NODE', /^r\.yaml:3:20: variables are not expanded$/],
    ["kubectl: patch cm x -p '{a'", /^r\.yaml:3:\d+: /],
    ['kubectl: delete widgets a', /^r\.yaml:3:21: kubectl delete: unknown kind "widgets"$/],
    ['talos: reboot', /^r\.yaml:3:12: talosctl: -n is missing$/],
    ['talos: -n a upgrade', /^r\.yaml:3:12: talosctl upgrade: --image is missing$/],
    [
      'talos: -n a patch mc --patch @gone.yaml',
      /^r\.yaml:3:34: the file "gone\.yaml" is not among the given ones$/,
    ],
    [
      'helm: upgrade cilium cilium/cilium -f values.yaml',
      /^r\.yaml:3:11: helm upgrade: --version is missing$/,
    ],
    [
      'helm: install cilium cilium/cilium --version 1.16.5 -f gone.yaml',
      /^r\.yaml:3:60: the file "gone\.yaml" is not among the given ones$/,
    ],
    ['wait: soon', /^r\.yaml:3:11: wait: "soon" is no duration$/],
    ['{wait: 1, kubectl: cordon a}', /^r\.yaml:3:\d+: a step has exactly one of/],
    [
      '{title: nothing to do}',
      /^r\.yaml:3:5: a step has exactly one of helm, kubectl, talos, files, wait, look$/,
    ],
    [
      '{kubectl: {action: drain, node: a, timeout: 3}}',
      /^r\.yaml:3:40: Runbook: unrecognized key: "timeout"$/,
    ],
    ['{kubectl: {action: drian, node: a}}', /^r\.yaml:3:\d+: Runbook: action: /],
    ['{helm: {action: rollback, release: cilium}}', /^r\.yaml:3:\d+: Runbook: namespace: /],
    ['{wiat: 3}', /^r\.yaml:3:6: Runbook: unrecognized key: "wiat"$/],
  ])('a runbook step %s', (step, expected) => {
    const error = broken({ 'r.yaml': RUNBOOK(step) });
    expect(error.code).toBe('bad-input');
    expect(spoken(error)).toMatch(expected);
  });

  it('throws nothing but RegaugeError, whatever the text', () => {
    const piece = fc.constantFrom(
      'a: 1\n',
      '- b\n',
      '---\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      ': ',
      '\t',
      '&a ',
      '*a',
      '<<: *a\n',
      '!!set ',
      '|\n',
      '>-\n',
      '? ',
      '#',
      '%YAML 1.1\n',
      '\r\n',
      '...\n',
      'kind: List\n',
      'apiVersion: v1\n',
      'kind: Pod\n',
      'kind: Node\n',
      'items:\n',
      '- metadata:\n    name: x\n',
      'metadata: {name: n}\n',
      'spec: {}\n',
      'machine:\n',
      'cluster: {network: {cni: 3}}\n',
      'cni: {exclusive: 1}\n',
      'ipam: []\n',
      'kind: Runbook\nsteps:\n- wait: 1\n',
      'total 8\n',
      '-rw-r--r-- 1 root root 3 Jan 1 00:00 10-a.conf\n',
      'kind: Secret\n',
      'kind: HelmRelease\n',
      '__proto__: 1\n',
      'constructor: {}\n',
    );
    const text = fc
      .array(
        fc.oneof({ weight: 6, arbitrary: piece }, fc.string({ unit: 'binary', maxLength: 6 })),
        { maxLength: 24 },
      )
      .map((parts) => parts.join(''));
    const name = fc.constantFrom(
      'a.yaml',
      'b.json',
      '10-c.conflist',
      'd',
      'etc/cni/net.d/e.conf',
      'ls.txt',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, text), { minLength: 1, maxLength: 3 }), (files) => {
        const error = thrownBy(() => deriveFacts(read(Object.fromEntries(files))));
        expect(
          error === undefined || (error instanceof RegaugeError && error.code === 'bad-input'),
        ).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

function bomb(): string {
  const levels = ['b0: &b0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 8; level += 1) {
    const aliases = Array.from({ length: 10 }, () => `*b${level - 1}`).join(', ');
    levels.push(`b${level}: &b${level} [${aliases}]`);
  }
  return `cni: {}\n${levels.join('\n')}\n`;
}
