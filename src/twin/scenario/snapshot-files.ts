/** A cluster input as files that kubectl and talosctl would have printed, one after the other. */
import { stringify } from 'yaml';
import type { ClusterInput } from '../../model/cluster-input.ts';
import { valueOr } from '../../model/fact.ts';
import type { KubeObject } from '../../model/kubernetes.ts';

export interface SnapshotFile {
  readonly name: string;
  readonly text: string;
}

/** Objects of one kind in one file, but not more than this. */
const OBJECTS_MAX = 5_000;

export function* snapshotFiles(input: ClusterInput): Generator<SnapshotFile> {
  const byKind = new Map<string, KubeObject[]>();
  for (const { object } of input.objects) {
    const key = `${object.kind.toLowerCase()}-${object.apiVersion.replaceAll('/', '-')}`;
    const objects = byKind.get(key) ?? [];
    byKind.set(key, objects);
    objects.push(object);
  }
  for (const [kind, objects] of byKind) {
    for (let from = 0; from < objects.length; from += OBJECTS_MAX) {
      const part = objects.length > OBJECTS_MAX ? `-${from / OBJECTS_MAX + 1}` : '';
      yield {
        name: `${kind}${part}.json`,
        text: listText(objects.slice(from, from + OBJECTS_MAX)),
      };
    }
  }
  for (const config of input.machineConfigs) {
    const text = config.documents.map(({ tree }) => stringify(tree.value)).join('---\n');
    yield { name: `${valueOr(config.node, 'node')}.machineconfig.yaml`, text };
  }
}

/** As `kubectl get … -o json` prints a list. */
function listText(items: readonly KubeObject[]): string {
  const list = { apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } };
  return `${JSON.stringify(list, null, 4)}\n`;
}
