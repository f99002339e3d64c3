/** Kubernetes objects as manifests, lists and dumps. */
import { describe, expect, it } from 'vitest';
import { deriveFacts } from './facts.ts';
import { failureOf, read } from './testing.ts';

const indent = (text: string, by: number): string => text.replaceAll(/^(?=.)/gm, ' '.repeat(by));

function pod(name: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  namespace: shop\nspec:\n  containers:\n    - name: web\n      image: web:1\n`;
}

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
