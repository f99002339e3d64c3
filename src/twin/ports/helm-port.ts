/**
 * Helm on the twin: renders the Cilium chart's model, refuses as the chart refuses, merges three
 * ways on upgrade and keeps a release's history.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { HelmPort, HelmValues, ReleaseRequest, ReleaseStatus } from '../../ports/helm.ts';
import type { World } from '../world.ts';
import { apiCall, apiWrites, type Cost } from './calls.ts';
import { applyRelease, deleteObjects } from './release-objects.ts';
import { tellRefusals, type ValueRefusal } from './render-refusals.ts';

export type RenderChart = (request: ReleaseRequest) =>
  | { readonly ok: true; readonly objects: readonly KubeObject[] }
  | {
      readonly ok: false;
      readonly message: string;
      readonly problems?: readonly ValueRefusal[];
    };

export interface Revision {
  readonly revision: number;
  readonly chartVersion: string;
  readonly values: HelmValues;
  readonly objects: readonly KubeObject[];
}

/** Releases by `namespace/name`, oldest revision first; what `helm history` would show. */
export type Releases = Map<string, readonly Revision[]>;

export function createHelmPort(
  world: World,
  render: RenderChart,
  releases: Releases = new Map(),
): HelmPort {
  return {
    status: (release, namespace) =>
      apiCall(world, () => {
        const current = releases.get(`${namespace}/${release}`)?.at(-1);
        return current === undefined ? undefined : statusOf(current);
      }),
    upgradeOrInstall: (request) =>
      apiWrites(world, (cost) => upgradeOrInstall({ world, render, releases, cost }, request)),
    uninstall: (release, namespace) =>
      apiWrites(world, (cost) => uninstall({ world, releases, cost }, release, namespace)),
    rollback: (release, namespace, revision) =>
      apiWrites(world, (cost) =>
        rollback({ world, releases, cost }, `${namespace}/${release}`, revision),
      ),
  };
}

interface Call {
  readonly world: World;
  readonly releases: Releases;
  readonly cost: Cost;
}

function upgradeOrInstall(
  { world, render, releases, cost }: Call & { readonly render: RenderChart },
  request: ReleaseRequest,
): ReleaseStatus {
  const rendered = render(request);
  if (!rendered.ok) throw renderFailed(world, request, rendered);
  const key = `${request.namespace}/${request.release}`;
  const history = releases.get(key) ?? [];
  const { release, version } = request;
  world.kernel.occur('helm.release-applied', {
    message: `helm ${history.length === 0 ? 'installed' : 'upgraded'} ${release}, chart ${version}`,
  });
  const last = history.at(-1)?.objects ?? [];
  applyRelease(world, { release: request, last, next: rendered.objects }, cost);
  return record(releases, key, {
    chartVersion: request.version,
    values: request.values,
    objects: rendered.objects,
  });
}

function renderFailed(
  world: World,
  request: ReleaseRequest,
  { message, problems = [] }: Extract<ReturnType<RenderChart>, { ok: false }>,
): RegaugeError {
  const { kernel } = world;
  // Nothing was changed, so it is no cause of what follows.
  kernel.because(kernel.causes, () =>
    kernel.occur('helm.render-failed', {
      message: `chart ${request.chart} ${request.version} does not render with these values: ${message}`,
      because: tellRefusals(kernel, problems),
    }),
  );
  return new RegaugeError('refused', message, {
    hint: 'the release and the cluster are as they were',
  });
}

function uninstall({ world, releases, cost }: Call, release: string, namespace: string): void {
  const key = `${namespace}/${release}`;
  const current = releases.get(key)?.at(-1);
  if (current === undefined)
    throw new RegaugeError(
      'not-found',
      `uninstall: Release not loaded: ${release}: release: not found`,
    );
  world.kernel.occur('helm.release-uninstalled', { message: `helm uninstalled ${release}` });
  deleteObjects(world, current.objects, cost);
  releases.delete(key);
}

function rollback(
  { world, releases, cost }: Call,
  key: string,
  revision: number | undefined,
): ReleaseStatus {
  const history = releases.get(key) ?? [];
  const current = history.at(-1);
  const target =
    revision === undefined || revision === 0
      ? history.at(-2)
      : history.find((entry) => entry.revision === revision);
  if (current === undefined || target === undefined)
    throw new RegaugeError('not-found', 'release: not found');
  const [namespace = '', release = ''] = key.split('/');
  world.kernel.occur('helm.release-applied', {
    message: `helm rolled ${release} back to revision ${target.revision}`,
  });
  const { chartVersion: version, values } = target;
  applyRelease(
    world,
    {
      release: { release, namespace, chart: 'cilium', version, values },
      last: current.objects,
      next: target.objects,
    },
    cost,
  );
  return record(releases, key, target);
}

function record(releases: Releases, key: string, what: Omit<Revision, 'revision'>): ReleaseStatus {
  const history = releases.get(key) ?? [];
  const entry: Revision = { ...what, revision: (history.at(-1)?.revision ?? 0) + 1 };
  releases.set(key, [...history, entry]);
  return statusOf(entry);
}

function statusOf({ revision, chartVersion, values }: Revision): ReleaseStatus {
  return { revision, status: 'deployed', chartVersion, values };
}
