/**
 * Helm killed at every object it writes, and at its last word. Goal: the release tells it, every way
 * on is refused but the repair, and doing it again ends as if nothing had happened.
 */
import { describe, expect, it } from 'vitest';
import { renderCiliumChart } from '../../../knowledge/cilium-chart/render.ts';
import type { HelmPort, ReleaseRequest } from '../../../ports/helm.ts';
import { fakeWorld, type FakeWorld } from '../../machine/testing.ts';
import { killNextHelm } from './helm-killed.ts';
import { createHelmPort } from './helm-port.ts';
import type { Releases } from './helm-records.ts';

const NAMES = ['cilium', 'kube-system'] as const;
const REPAIR = { unfinished: 'repair' } as const;

function request(values: Record<string, unknown>): ReleaseRequest {
  const [release, namespace] = NAMES;
  return { release, namespace, chart: 'cilium', version: '1.16.5', values };
}

const FIRST = request({ debug: { enabled: false } });
/** Sets fields of what is there, adds an object, and takes some away. */
const NEXT = request({ debug: { enabled: true }, envoy: { enabled: false } });

interface Opened {
  readonly world: FakeWorld;
  readonly helm: HelmPort;
  readonly releases: Releases;
  run<T>(work: () => Promise<T>): Promise<T>;
}

function opened(): Opened {
  const world = fakeWorld();
  const releases: Releases = new Map();
  const helm = createHelmPort(world, renderCiliumChart, releases);
  return { world, helm, releases, run: (work) => world.kernel.drive(work) };
}

/** Everything but what an object has of its past. */
function objectsIn({ world }: Opened): readonly string[] {
  const kinds = [
    'ConfigMap',
    'ServiceAccount',
    'DaemonSet',
    'Deployment',
    'ClusterRole',
    'ClusterRoleBinding',
  ];
  return kinds
    .flatMap((kind) => world.store.list<string>(kind))
    .map(({ metadata, ...body }) => {
      const { uid: _uid, resourceVersion: _version, generation: _generation, ...rest } = metadata;
      const { creationTimestamp: _created, ...kept } = rest;
      return JSON.stringify({ ...body, metadata: kept });
    })
    .toSorted();
}

async function killed(target: Opened, after: number, work: () => Promise<unknown>): Promise<void> {
  killNextHelm(target.releases, after);
  await expect(target.run(work)).rejects.toMatchObject({ code: 'unreachable' });
}

/** More than any of the releases writes: the kill at the end is among them. */
const WRITES = Array.from({ length: 16 }, (_one, at) => at);

describe('Helm that is killed', () => {
  it.each(WRITES)('after %i objects of the first installation', async (after) => {
    const calm = opened();
    await calm.run(() => calm.helm.upgradeOrInstall(FIRST));
    const hit = opened();
    await killed(hit, after, () => hit.helm.upgradeOrInstall(FIRST));
    await hit.run(async () => {
      expect(await hit.helm.status(...NAMES)).toMatchObject({ status: 'pending-install' });
      await expect(hit.helm.upgradeOrInstall(FIRST)).rejects.toMatchObject({ code: 'conflict' });
      expect(await hit.helm.upgradeOrInstall(FIRST, REPAIR)).toMatchObject({ status: 'deployed' });
    });
    expect(objectsIn(hit)).toEqual(objectsIn(calm));
  });

  it.each(WRITES)('after %i objects of an upgrade', async (after) => {
    const calm = opened();
    await calm.run(() => calm.helm.upgradeOrInstall(FIRST));
    const before = objectsIn(calm);
    await calm.run(() => calm.helm.upgradeOrInstall(NEXT));
    expect(objectsIn(calm)).not.toEqual(before);
    const hit = opened();
    await hit.run(() => hit.helm.upgradeOrInstall(FIRST));
    await killed(hit, after, () => hit.helm.upgradeOrInstall(NEXT));
    await hit.run(async () => {
      expect(await hit.helm.status(...NAMES)).toMatchObject({ status: 'pending-upgrade' });
      expect(await hit.helm.repair(...NAMES)).toMatchObject({ values: FIRST.values });
    });
    expect(objectsIn(hit)).toEqual(before);
    await hit.run(() => hit.helm.upgradeOrInstall(NEXT, REPAIR));
    expect(objectsIn(hit)).toEqual(objectsIn(calm));
  });

  it.each(WRITES)('after %i objects of its removal, or of a way back', async (after) => {
    const hit = opened();
    await hit.run(() => hit.helm.upgradeOrInstall(FIRST));
    const before = objectsIn(hit);
    await hit.run(() => hit.helm.upgradeOrInstall(NEXT));
    await killed(hit, after, () => hit.helm.rollback(...NAMES, 1));
    await hit.run(async () => {
      expect(await hit.helm.status(...NAMES)).toMatchObject({ status: 'pending-rollback' });
      await hit.helm.rollback(...NAMES, 1);
    });
    expect(objectsIn(hit)).toEqual(before);
    await killed(hit, after, () => hit.helm.uninstall(...NAMES));
    await hit.run(async () => {
      expect(await hit.helm.status(...NAMES)).toMatchObject({ status: 'uninstalling' });
      expect(await hit.helm.repair(...NAMES)).toBeUndefined();
    });
    expect(objectsIn(hit)).toEqual([]);
  });

  it('twice in a row, the second time at its repair', async () => {
    const hit = opened();
    await hit.run(() => hit.helm.upgradeOrInstall(FIRST));
    await killed(hit, 2, () => hit.helm.upgradeOrInstall(NEXT));
    await killed(hit, 1, () => hit.helm.upgradeOrInstall(NEXT, REPAIR));
    await hit.run(async () => {
      expect(await hit.helm.status(...NAMES)).toMatchObject({ status: 'pending-rollback' });
      expect(await hit.helm.upgradeOrInstall(NEXT, REPAIR)).toMatchObject({
        status: 'deployed',
        values: NEXT.values,
      });
    });
  });
});
