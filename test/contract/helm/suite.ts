/** What every Helm port must do: one release from nothing, through upgrades, to nothing. */
import { expect, it } from 'vitest';
import type { HelmTarget } from './target.ts';
import { CHART, configAddress, configOf, group, requestFor, type TargetKind } from './target.ts';
import { failureOf } from '../../support/failure-of.ts';

const RELEASE = 'cilium';
const DEBUG = { debug: { enabled: true } };

async function statesOf({ port, namespace }: HelmTarget): Promise<readonly string[]> {
  const history = await port.history(RELEASE, namespace);
  return history.map(({ revision, status }) => `${revision} ${status}`);
}

export function describeHelm(kind: TargetKind): void {
  describeLife(kind);
  describeRefusals(kind);
  describeUnfinished(kind);
}

function describeLife(kind: TargetKind): void {
  group(kind, 'the life of a release', (on) => {
    it(
      'is nothing where nothing was installed',
      on(async ({ port, namespace }) => {
        expect(await port.status(RELEASE, namespace)).toBeUndefined();
        expect(await port.history(RELEASE, namespace)).toEqual([]);
        expect(await port.repair(RELEASE, namespace)).toBeUndefined();
        for (const work of [
          port.manifest(RELEASE, namespace),
          port.uninstall(RELEASE, namespace),
          port.rollback(RELEASE, namespace),
        ]) {
          expect(await failureOf(work)).toMatchObject({ code: 'not-found' });
        }
      }),
    );

    it(
      'is installed with the values that were given, as it was rendered before',
      on(async (target) => {
        const { port, namespace } = target;
        const request = requestFor(target, { ...DEBUG, k8sServicePort: null });
        const rendered = await port.template(request);
        expect(await configOf(target, 'debug')).toBeUndefined();
        expect(await port.upgradeOrInstall(request)).toEqual({
          revision: 1,
          status: 'deployed',
          chartVersion: CHART,
          values: request.values,
        });
        expect(await port.status(RELEASE, namespace)).toMatchObject({ revision: 1 });
        expect(await configOf(target, 'debug')).toBe('true');
        const manifest = await port.manifest(RELEASE, namespace);
        expect(manifest).toEqual(rendered);
        expect(manifest.map(({ kind: name }) => name)).toContain('DaemonSet');
      }),
    );

    it(
      'is upgraded to exactly the values given, with nothing left of those before',
      on(async (target) => {
        const { port, namespace } = target;
        await port.upgradeOrInstall(requestFor(target, DEBUG));
        const next = requestFor(target);
        const status = await port.upgradeOrInstall(next);
        expect(status).toMatchObject({ revision: 2, status: 'deployed', values: next.values });
        expect(await configOf(target, 'debug')).toBe('false');
        expect(await statesOf(target)).toEqual(['1 superseded', '2 deployed']);
        const none = await port.upgradeOrInstall({ ...next, values: {} });
        expect(none.values).toEqual({});
        const first = await port.manifest(RELEASE, namespace, { revision: 1 });
        expect(JSON.stringify(first)).toContain('"debug":"true"');
      }),
    );

    it(
      'is put back to what the chart renders when the same is asked for again',
      on(async (target) => {
        const { port, kubernetes, namespace } = target;
        const request = requestFor(target, DEBUG);
        await port.upgradeOrInstall(request);
        await kubernetes.patch(configAddress(namespace), { data: { debug: 'edited' } });
        const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: 'cilium' };
        await kubernetes.delete(account);
        expect(await port.upgradeOrInstall(request)).toMatchObject({ status: 'deployed' });
        expect(await configOf(target, 'debug')).toBe('true');
        expect(await kubernetes.get(account)).toBeDefined();
      }),
    );

    it(
      'goes back to the revision before, or to one that is named',
      on(async (target) => {
        const { port, namespace } = target;
        await port.upgradeOrInstall(requestFor(target));
        await port.upgradeOrInstall(requestFor(target, DEBUG));
        const back = await port.rollback(RELEASE, namespace);
        expect(back).toMatchObject({ revision: 3, values: requestFor(target).values });
        expect(await configOf(target, 'debug')).toBe('false');
        expect(await port.rollback(RELEASE, namespace, 2)).toMatchObject({ revision: 4 });
        expect(await configOf(target, 'debug')).toBe('true');
        expect(await statesOf(target)).toEqual([
          '1 superseded',
          '2 superseded',
          '3 superseded',
          '4 deployed',
        ]);
        expect(await failureOf(port.rollback(RELEASE, namespace, 9))).toMatchObject({
          code: 'not-found',
        });
      }),
    );

    it(
      'leaves nothing behind when it is uninstalled',
      on(async (target) => {
        const { port, kubernetes, namespace } = target;
        await port.upgradeOrInstall(requestFor(target));
        await port.uninstall(RELEASE, namespace);
        expect(await port.status(RELEASE, namespace)).toBeUndefined();
        expect(await kubernetes.get(configAddress(namespace))).toBeUndefined();
        const left = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' };
        expect(await kubernetes.get({ ...left, name: 'cilium' })).toBeUndefined();
        expect(await port.upgradeOrInstall(requestFor(target))).toMatchObject({ revision: 1 });
      }),
    );
  });
}

function describeRefusals(kind: TargetKind): void {
  group(kind, 'what is refused', (on) => {
    it(
      'values that the chart does not render, in its own words; nothing changes',
      on(async (target) => {
        const { port, namespace } = target;
        await port.upgradeOrInstall(requestFor(target));
        const wrong = requestFor(target, { kubeProxyReplacement: 'strict' });
        for (const work of [port.template(wrong), port.upgradeOrInstall(wrong)]) {
          const failure = await failureOf(work);
          expect(failure.code).toBe('refused');
          expect(failure.message).toContain(
            'kubeProxyReplacement must be explicitly set to a valid value (true or false) to continue.',
          );
        }
        expect(await statesOf(target)).toEqual(['1 deployed']);
        expect(await port.status(RELEASE, namespace)).toMatchObject({
          values: requestFor(target).values,
        });
      }),
    );

    it(
      'an object that is there and is not of the release',
      on(async (target) => {
        const { port, kubernetes, namespace } = target;
        const metadata = { name: 'cilium', namespace };
        await kubernetes.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
        const failure = await failureOf(port.upgradeOrInstall(requestFor(target)));
        expect(failure.code).toBe('refused');
        expect(failure.message).toMatch(
          /ServiceAccount "cilium" in namespace "[\w-]+" exists and cannot be imported into the current release: invalid ownership metadata/,
        );
        expect(await kubernetes.get(configAddress(namespace))).toBeUndefined();
      }),
    );
  });
}

function describeUnfinished(kind: TargetKind): void {
  group(kind, 'a release that was left half-way', (on) => {
    it(
      'is a conflict for every upgrade, and tells what it is',
      on(async (target) => {
        const { port, namespace } = target;
        await port.upgradeOrInstall(requestFor(target));
        await target.breakOff('pending-upgrade', requestFor(target, DEBUG));
        expect(await port.status(RELEASE, namespace)).toMatchObject({
          revision: 2,
          status: 'pending-upgrade',
          values: requestFor(target, DEBUG).values,
        });
        const failure = await failureOf(port.upgradeOrInstall(requestFor(target, DEBUG)));
        expect(failure.code).toBe('conflict');
        expect(`${failure.message} ${failure.hint ?? ''}`).toContain('pending-upgrade');
        expect(await statesOf(target)).toEqual(['1 deployed', '2 pending-upgrade']);
      }),
    );

    it(
      'goes back to the last revision that was deployed when it is repaired',
      on(async (target) => {
        const { port, namespace } = target;
        const before = requestFor(target, DEBUG);
        await port.upgradeOrInstall(before);
        await target.breakOff('pending-upgrade', requestFor(target));
        const { values } = before;
        const repaired = await port.repair(RELEASE, namespace);
        expect(repaired).toMatchObject({ revision: 3, status: 'deployed', values });
        expect(await configOf(target, 'debug')).toBe('true');
        expect(await port.repair(RELEASE, namespace)).toEqual(repaired);
      }),
    );

    it(
      'is upgraded by a caller who knows that the broken run was its own',
      on(async (target) => {
        const { port } = target;
        await port.upgradeOrInstall(requestFor(target));
        await target.breakOff('pending-upgrade', requestFor(target, DEBUG));
        const status = await port.upgradeOrInstall(requestFor(target, DEBUG), {
          unfinished: 'repair',
        });
        expect(status).toMatchObject({
          status: 'deployed',
          values: requestFor(target, DEBUG).values,
        });
        expect(await configOf(target, 'debug')).toBe('true');
      }),
    );

    it(
      'is uninstalled when it was the first installation',
      on(async (target) => {
        const { port, kubernetes, namespace } = target;
        await target.breakOff('pending-install', requestFor(target));
        expect(await port.status(RELEASE, namespace)).toMatchObject({
          revision: 1,
          status: 'pending-install',
        });
        expect(await port.repair(RELEASE, namespace)).toBeUndefined();
        expect(await port.status(RELEASE, namespace)).toBeUndefined();
        expect(await kubernetes.get(configAddress(namespace))).toBeUndefined();
        await target.breakOff('pending-install', requestFor(target));
        const again = { unfinished: 'repair' } as const;
        expect(await port.upgradeOrInstall(requestFor(target), again)).toMatchObject({
          revision: 1,
          status: 'deployed',
        });
      }),
    );
  });
}
