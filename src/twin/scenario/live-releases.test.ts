/** A release that runs already: as its record says that it stands, so that Helm does what it would. */
import { expect, it } from 'vitest';
import { EMPTY_INPUT } from '../../model/cluster-input.ts';
import type { DaemonSetObject, KubeObject } from '../../model/kubernetes.ts';
import { renderCiliumChart } from '../../knowledge/cilium-chart/render.ts';
import { fakeWorld } from '../machine/testing.ts';
import { createHelmPort } from '../ports/helm/helm-port.ts';
import { liveReleases } from './live-releases.ts';

const RELEASE = { release: 'cilium', namespace: 'kube-system' };

function agents(): DaemonSetObject {
  const rendered = renderCiliumChart({ ...RELEASE, version: '1.16.5', values: {} });
  const found = rendered.ok ? rendered.objects : [];
  // The chart's DaemonSet is one.
  return found.find(
    ({ metadata, kind }) => kind === 'DaemonSet' && metadata.name === 'cilium',
  ) as DaemonSetObject;
}

function mark(version: number, status: string): KubeObject {
  const labels = { owner: 'helm', name: 'cilium', version: String(version), status };
  const name = `sh.helm.release.v1.cilium.v${version}`;
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'kube-system', labels } };
}

function opened(...marks: readonly KubeObject[]) {
  const world = fakeWorld();
  for (const object of [agents(), ...marks]) world.store.create(object);
  const { releases } = liveReleases(world.store, EMPTY_INPUT);
  return { world, helm: createHelmPort(world, renderCiliumChart, releases) };
}

const UPGRADE = { ...RELEASE, chart: 'cilium', version: '1.16.5', values: {} } as const;

it('is deployed when nothing says otherwise', async () => {
  const { world, helm } = opened(mark(3, 'superseded'), mark(4, 'deployed'));
  const status = await world.kernel.drive(() => helm.upgradeOrInstall(UPGRADE));
  expect(status).toMatchObject({ revision: 2, status: 'deployed' });
});

it('is held by a run that was broken off, until it is repaired', async () => {
  const { world, helm } = opened(mark(4, 'deployed'), mark(10, 'pending-upgrade'));
  await world.kernel.drive(async () => {
    expect(await helm.status('cilium', 'kube-system')).toMatchObject({
      revision: 10,
      status: 'pending-upgrade',
    });
    await expect(helm.upgradeOrInstall(UPGRADE)).rejects.toMatchObject({
      code: 'conflict',
      message: 'another operation (install/upgrade/rollback) is in progress',
    });
    expect(await helm.repair('cilium', 'kube-system')).toMatchObject({
      revision: 11,
      status: 'deployed',
    });
  });
  expect(world.kernel.occurrences.map(({ kind }) => kind)).toContain('helm.release-held');
});
