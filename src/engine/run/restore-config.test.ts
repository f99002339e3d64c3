/**
 * What a run that goes on does about agents' configuration that is not as the release wrote it. Goal: it is
 * brought back and read, once, also by a run that was killed in between; and nothing else is touched.
 */
import { describe, expect, it } from 'vitest';
import { RegaugeError } from '../../base/errors.ts';
import type { ConfigMapObject, DaemonSetObject, KubeObject } from '../../model/kubernetes.ts';
import type { Ports, ReleaseStatus } from '../../ports/index.ts';
import { planOf, stepOf } from '../testing.ts';
import { restoreConfig } from './restore-config.ts';

const VALUES = { kubeProxyReplacement: true };
const PLAN = planOf([
  stepOf('values', {
    kind: 'install-helm-release',
    release: 'cilium',
    namespace: 'kube-system',
    chart: 'cilium',
    version: '1.16.5',
    values: VALUES,
  }),
]);
const WRITTEN = { 'kube-proxy-replacement': 'true', debug: 'false' };

function config(data: Readonly<Record<string, string>>, resourceVersion = '7'): ConfigMapObject {
  const metadata = { namespace: 'kube-system', name: 'cilium-config', resourceVersion };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

interface Start {
  readonly live: ConfigMapObject | undefined;
  readonly status?: Partial<ReleaseStatus>;
  /** The write that ends the process. */
  readonly dies?: 'at the upgrade' | 'after the upgrade';
}

/** A cluster of one release and one DaemonSet whose pods are ready at once. */
function cluster({ live, status, dies }: Start) {
  const writes: string[] = [];
  let found = live;
  let agents = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { namespace: 'kube-system', name: 'cilium', annotations: {} },
    spec: { template: { metadata: { annotations: {} } } },
    status: { desiredNumberScheduled: 2, numberReady: 2, updatedNumberScheduled: 2 },
  };
  let dying = dies;
  const killed = (): never => {
    dying = undefined;
    throw new Error('killed');
  };
  const ports = {
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    kubernetes: {
      get: ({ kind }: { kind: string }) => Promise.resolve(kind === 'ConfigMap' ? found : agents),
      patch: (_target: object, patch: Partial<DaemonSetObject>) => {
        const isRestart = patch.spec !== undefined;
        if (isRestart && dying === 'after the upgrade') killed();
        writes.push(isRestart ? 'restart agents' : 'mark');
        agents = merged(agents, patch) as typeof agents;
        return Promise.resolve(agents);
      },
    },
    helm: {
      status: () =>
        Promise.resolve({
          revision: 3,
          status: 'deployed',
          chartVersion: '1.16.5',
          values: VALUES,
          ...status,
        }),
      manifest: (): Promise<readonly KubeObject[]> => Promise.resolve([config(WRITTEN)]),
      upgradeOrInstall: () => {
        if (dying === 'at the upgrade') killed();
        writes.push('apply the release');
        found = config({ ...found?.data, ...WRITTEN }, '9');
        return Promise.resolve();
      },
    },
  } as unknown as Ports; // the calls that are made
  const said: string[] = [];
  const run = () => restoreConfig(PLAN, ports, (message) => said.push(message));
  return { writes, said, run, ports, change: (to: ConfigMapObject) => (found = to) };
}

function merged(into: object, patch: object): object {
  const result: Record<string, unknown> = { ...into };
  for (const [key, value] of Object.entries(patch)) {
    const before = result[key];
    const isDeep = typeof value === 'object' && typeof before === 'object' && before !== null;
    result[key] = isDeep ? merged(before, value as object) : value;
  }
  return result;
}

const CHANGED = config({ ...WRITTEN, 'kube-proxy-replacement': 'false' });
const ALL = ['mark', 'apply the release', 'restart agents'];

describe('the configuration of the agents, before a run goes on', () => {
  it('is brought back, and the agents read it', async () => {
    const { run, writes, said } = cluster({ live: CHANGED });
    await run();
    expect(writes).toEqual(ALL);
    expect(said.join()).toMatch(/kube-proxy-replacement is "false" and was "true"/);
    await run();
    expect(writes).toEqual(ALL);
  });

  it('is left alone where it says what the release wrote, whatever others added', async () => {
    const { run, writes } = cluster({ live: config({ ...WRITTEN, 'their-own': 'key' }) });
    await run();
    expect(writes).toEqual([]);
  });

  it('is made again where it is gone', async () => {
    const { run, writes, said } = cluster({ live: undefined });
    await run();
    expect(writes).toEqual(ALL);
    expect(said.join()).toMatch(/is gone/);
  });

  it('is brought back a second time when it is changed a second time', async () => {
    const { run, writes, change } = cluster({ live: CHANGED });
    await run();
    change(config(CHANGED.data ?? {}, '11'));
    await run();
    expect(writes).toEqual([...ALL, ...ALL]);
  });

  it.each(['at the upgrade', 'after the upgrade'] as const)(
    'ends the same when the run is killed %s and gone on with',
    async (dies) => {
      const { run, writes } = cluster({ live: CHANGED, dies });
      await expect(run()).rejects.toThrow('killed');
      await run();
      expect(writes.slice(-1)).toEqual(['restart agents']);
      expect(writes.filter((write) => write === 'apply the release')).toHaveLength(1);
    },
  );

  it.each([{ status: 'pending-upgrade' }, { values: { theirs: true } }] as const)(
    'is no matter of a release that is not as a step wanted it: %o',
    async (status) => {
      const { run, writes } = cluster({ live: CHANGED, status });
      await run();
      expect(writes).toEqual([]);
    },
  );

  it('says what could not be seen to, and lets the gates judge', async () => {
    const { run, ports, said } = cluster({ live: CHANGED });
    const refused = new RegaugeError('unreachable', 'no Helm answers');
    await restoreConfig(
      PLAN,
      { ...ports, helm: { ...ports.helm, manifest: () => Promise.reject(refused) } },
      (message) => said.push(message),
    );
    expect(said).toEqual(['the configuration of the agents could not be seen to: no Helm answers']);
    await run();
    expect(said.at(-1)).toMatch(/applied again/);
  });
});
