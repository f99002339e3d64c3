/** Files of one cluster read twice, and files of two. */
import { describe, expect, it } from 'vitest';
import { RegaugeError } from '../base/errors.ts';
import { oneCluster } from './one-cluster.ts';
import { readInput } from './read-input.ts';

function node(labels: string, version?: string): string {
  const told = version === undefined ? '' : `, resourceVersion: "${version}"`;
  return `{apiVersion: v1, kind: Node, metadata: {name: a${told}, labels: {${labels}}}}\n`;
}

function service(uid: string): string {
  return `{apiVersion: v1, kind: Service, metadata: {name: kubernetes, namespace: default, uid: ${uid}}}\n`;
}

function labelsRead(...texts: readonly string[]): readonly unknown[] {
  const files = texts.map((text, index) => ({ path: `${index}.yaml`, text }));
  return oneCluster(readInput(files)).objects.map(({ object }) => object.metadata.labels);
}

describe('objects that were read more than once', () => {
  it('count once, as they were last', () => {
    expect(labelsRead(node('at: first'), node('at: then'))).toEqual([{ at: 'then' }]);
    expect(labelsRead(node('at: then', '90'), node('at: first', '8'))).toEqual([{ at: 'then' }]);
  });

  it('are told apart by namespace, kind and group', () => {
    const pods = ['a', 'b'].map(
      (namespace) =>
        `{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: ${namespace}, labels: {in: ${namespace}}}, spec: {containers: []}}\n`,
    );
    const other =
      '{apiVersion: example.com/v1, kind: Node, metadata: {name: a, labels: {group: other}}}\n';
    expect(labelsRead(...pods, node('group: core'), other)).toHaveLength(4);
  });
});

describe('files of two clusters', () => {
  it('are one clear error, at the second', () => {
    const files = [
      { path: 'home.yaml', text: service('u-1') },
      { path: 'work.yaml', text: service('u-2') },
    ];
    expect(() => oneCluster(readInput(files))).toThrow(
      expect.objectContaining({
        code: 'bad-input',
        message: expect.stringMatching(
          /two clusters: Service default\/kubernetes .* u-1 in home\.yaml/,
        ) as unknown,
        source: expect.objectContaining({ file: 'work.yaml', line: 1 }) as unknown,
      }) as RegaugeError,
    );
  });
});
