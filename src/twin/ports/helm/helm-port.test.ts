/**
 * Helm on the twin over a chart of one ConfigMap and one ServiceAccount. Goal: what an upgrade does
 * to edits, missing objects and objects of others, and that a refused render changes nothing.
 */
import { describe, expect, it } from 'vitest';
import type { ConfigMapObject, KubeObject } from '../../../model/kubernetes.ts';
import type { ReleaseRequest } from '../../../ports/helm.ts';
import { fakeWorld, type FakeWorld } from '../../machine/testing.ts';
import type { World } from '../../world.ts';
import { createHelmPort, type Releases, type RenderChart } from './helm-port.ts';

const render: RenderChart = ({ values, release, namespace }) => {
  if (values['broken'] === true) return { ok: false, message: 'strict is not valid' };
  const annotations = {
    'meta.helm.sh/release-name': release,
    'meta.helm.sh/release-namespace': namespace,
  };
  const metadata = { namespace, annotations };
  const config: ConfigMapObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, name: 'cilium-config' },
    data: { pool: String(values['pool'] ?? 'a') },
  };
  const account: KubeObject = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { ...metadata, name: 'cilium' },
  };
  return { ok: true, objects: values['account'] === false ? [config] : [config, account] };
};

function request(values: Record<string, unknown> = {}): ReleaseRequest {
  return {
    release: 'cilium',
    namespace: 'kube-system',
    chart: 'cilium',
    version: '1.16.5',
    values,
  };
}

function run<T>(world: FakeWorld, work: () => Promise<T>): Promise<T> {
  return world.kernel.drive(work);
}

const poolOf = (world: FakeWorld) =>
  world.store.get('ConfigMap', 'kube-system', 'cilium-config')?.data?.['pool'];
const accountOf = (world: FakeWorld): KubeObject | undefined =>
  world.store.get('ServiceAccount', 'kube-system', 'cilium');

const noDeletion: World['api']['admit'] = (operation) => ({
  ok: operation !== 'DELETE',
  message: 'no deletion today',
  because: [],
});

describe('helm port', () => {
  it('refuses what does not render, and nothing changes', async () => {
    const world = fakeWorld();
    const helm = createHelmPort(world, render);
    await expect(
      run(world, () => helm.upgradeOrInstall(request({ broken: true }))),
    ).rejects.toMatchObject({
      code: 'refused',
      message: 'strict is not valid',
    });
    expect(world.store.list('ConfigMap')).toEqual([]);
    expect(await run(world, () => helm.status('cilium', 'kube-system'))).toBeUndefined();
    expect(world.kernel.occurrences.map(({ kind }) => kind)).toEqual(['helm.render-failed']);
  });

  it('overwrites an edited key, re-creates a deleted object and deletes what is rendered no more', async () => {
    const world = fakeWorld();
    const helm = createHelmPort(world, render);
    await run(world, () => helm.upgradeOrInstall(request()));
    const uid = accountOf(world)?.metadata.uid;
    world.store.update('ConfigMap', 'kube-system', 'cilium-config', (old) => ({
      ...old,
      data: { ...old.data, pool: 'b' },
    }));
    world.store.remove('ServiceAccount', 'kube-system', 'cilium');
    const status = await run(world, () => helm.upgradeOrInstall(request()));
    expect(status.revision).toBe(2);
    expect(poolOf(world)).toBe('a');
    expect(accountOf(world)?.metadata.uid).toBeDefined();
    expect(accountOf(world)?.metadata.uid).not.toBe(uid);
    await run(world, () => helm.upgradeOrInstall(request({ account: false })));
    expect(accountOf(world)).toBeUndefined();
  });

  it('does not take over an object that it did not make', async () => {
    const world = fakeWorld();
    world.store.create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'cilium', namespace: 'kube-system' },
    });
    const helm = createHelmPort(world, render);
    await expect(run(world, () => helm.upgradeOrInstall(request()))).rejects.toThrow(
      /invalid ownership metadata/,
    );
    expect(world.store.list('ConfigMap')).toEqual([]);
  });

  it('rolls back to the revision before, as a new revision', async () => {
    const world = fakeWorld();
    const helm = createHelmPort(world, render);
    await run(world, () => helm.upgradeOrInstall(request({ pool: 'a' })));
    await run(world, () => helm.upgradeOrInstall(request({ pool: 'b' })));
    const status = await run(world, () => helm.rollback('cilium', 'kube-system'));
    expect(status.revision).toBe(3);
    expect(poolOf(world)).toBe('a');
  });

  it('uninstalls its objects', async () => {
    const world = fakeWorld();
    const helm = createHelmPort(world, render);
    await run(world, () => helm.upgradeOrInstall(request()));
    await run(world, () => helm.uninstall('cilium', 'kube-system'));
    expect(world.store.list('ConfigMap')).toEqual([]);
    await expect(run(world, () => helm.uninstall('cilium', 'kube-system'))).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('takes as long as the webhooks of all its writes, and says so late too when one refuses', async () => {
    const world = fakeWorld();
    const delayed = (ok: boolean): World => ({
      ...world,
      api: { ...world.api, admit: () => ({ ok, message: 'no', because: [], delayMs: 10_000 }) },
    });
    await run(world, () => createHelmPort(delayed(true), render).upgradeOrInstall(request()));
    expect(world.kernel.now()).toBe(20_000 + world.constants.apiCallMs);
    const other = { ...request(), release: 'other', namespace: 'other' };
    await expect(
      run(world, () => createHelmPort(delayed(false), render).upgradeOrInstall(other)),
    ).rejects.toMatchObject({ code: 'refused' });
    expect(world.kernel.now()).toBe(30_000 + 2 * world.constants.apiCallMs);
  });

  it('has a failed revision of what was refused in its middle, and goes on from the one before', async () => {
    const world = fakeWorld();
    const releases: Releases = new Map();
    await run(world, () => createHelmPort(world, render, releases).upgradeOrInstall(request()));
    const refusing: World = { ...world, api: { ...world.api, admit: noDeletion } };
    const without = request({ account: false, pool: 'b' });
    const held = createHelmPort(refusing, render, releases);
    await expect(run(world, () => held.upgradeOrInstall(without))).rejects.toThrow(
      'no deletion today',
    );
    const helm = createHelmPort(world, render, releases);
    const states = async (): Promise<readonly string[]> =>
      (await run(world, () => helm.history('cilium', 'kube-system'))).map(({ status }) => status);
    expect(await states()).toEqual(['deployed', 'failed']);
    expect(poolOf(world)).toBe('b');
    // What the failed one no longer renders is still the release's: it is compared with the first.
    await run(world, () => helm.upgradeOrInstall(without));
    expect(accountOf(world)).toBeUndefined();
    expect(await states()).toEqual(['superseded', 'failed', 'deployed']);
  });

  it('is unreachable while the API is down', async () => {
    const world = fakeWorld();
    world.apiHealthy = false;
    const helm = createHelmPort(world, render);
    await expect(run(world, () => helm.status('cilium', 'kube-system'))).rejects.toMatchObject({
      code: 'unreachable',
    });
  });
});
