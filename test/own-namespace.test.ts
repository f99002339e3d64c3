/** Who makes regauge's namespace for a while takes it away, unless others are in it or settle there. */
import { expect, it } from 'vitest';
import { makeOwnNamespace, removeOwnNamespace } from '../src/drivers/kubernetes/own-namespace.ts';
import { settleInNamespace } from '../src/engine/lease/settle-in-namespace.ts';
import type { KubeObject } from '../src/model/kubernetes.ts';
import { OWN_NAMESPACE } from '../src/model/own-objects.ts';
import { createTwinPorts } from '../src/twin/ports/create-twin-ports.ts';
import { buildWorld } from '../src/twin/scenario/build-world.ts';
import { tinyCluster } from './support/small-cluster.ts';

function cluster() {
  const { world } = buildWorld(tinyCluster(), { seed: 1 });
  const { kubernetes, clock } = createTwinPorts(world);
  const wait = (): Promise<void> => clock.sleep(1_000);
  const run = <T>(work: () => Promise<T>): Promise<T> => world.kernel.drive(work);
  return {
    kubernetes,
    run,
    make: (madeBy: string) => run(() => makeOwnNamespace(kubernetes, madeBy, wait)),
    remove: (madeBy: string) => run(() => removeOwnNamespace(kubernetes, madeBy, () => false)),
    stays: () => {
      const found = world.store.get('Namespace', undefined, OWN_NAMESPACE);
      return found !== undefined && found.metadata.deletionTimestamp === undefined;
    },
  };
}

const NOTES: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'notes', namespace: OWN_NAMESPACE },
};

it('goes with whoever made it, also a later run of theirs, and with nobody else', async () => {
  const { make, remove, stays } = cluster();
  await make('host-access');
  await make('probes');
  await remove('probes');
  expect(stays()).toBe(true);
  await remove('host-access');
  expect(stays()).toBe(false);
  // What is gone is no error, and is made again.
  await remove('host-access');
  await make('probes');
  expect(stays()).toBe(true);
});

it('stays for what others have in it', async () => {
  const { kubernetes, run, make, remove, stays } = cluster();
  await make('host-access');
  await run(() => kubernetes.apply(NOTES));
  await remove('host-access');
  expect(stays()).toBe(true);
  const { namespace = '', name } = NOTES.metadata;
  await run(() => kubernetes.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }));
  await remove('host-access');
  expect(stays()).toBe(false);
});

it('stays once a migration has settled there', async () => {
  const { kubernetes, run, make, remove, stays } = cluster();
  await make('host-access');
  await run(() => settleInNamespace(kubernetes));
  await remove('host-access');
  expect(stays()).toBe(true);
});
