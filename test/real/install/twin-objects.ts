/**
 * What the twin has in its API, put to a real server that refuses fields it does not know: a twin
 * whose objects no cluster would take teaches wrong.
 */
import type { KubeObject } from '../../../src/model/kubernetes.ts';
import { contractWorld } from '../../contract/kubernetes/twin-target.ts';
import type { Lane } from '../lane.ts';
import { asWritten, listOf, type RealCluster } from './real-cluster.ts';

/** Made first, and for good: others are refused without them. */
const BEFORE = ['Namespace', 'ServiceAccount'];
/** What only a control plane itself makes. */
const NOT_WRITTEN = new Set(['Event', 'CustomResourceDefinition']);

export async function judgeTwinObjects(lane: Lane, cluster: RealCluster): Promise<void> {
  const { store } = contractWorld();
  for (const kind of BEFORE) {
    await lane.check(`the twin's objects of kind ${kind} are taken`, () =>
      cluster.create(store.list(kind).map(asWritten)),
    );
  }
  const kinds = store
    .kindNames()
    .filter((kind) => !BEFORE.includes(kind) && !NOT_WRITTEN.has(kind));
  for (const kind of kinds) {
    const objects: readonly KubeObject[] = store.list(kind);
    if (objects.length === 0) continue;
    await lane.check(`the twin's objects of kind ${kind} would be taken`, async () => {
      const { code, stderr } = await cluster.judge(listOf(objects.map(asWritten)));
      if (code !== 0) throw new Error(stderr);
    });
  }
}
