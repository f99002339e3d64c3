/**
 * Helm on the twin: renders the Cilium chart's model, refuses as the chart refuses, merges three
 * ways on upgrade and keeps a release's history. A run of it is over in one call, so that only what
 * was read of a cluster, or a test, leaves a release half-way.
 */
import { RegaugeError } from '../../../base/errors.ts';
import type { KubeObject } from '../../../model/kubernetes.ts';
import {
  type HelmPort,
  isUnfinished,
  type ReleaseRequest,
  type ReleaseStatus,
} from '../../../ports/helm.ts';
import type { World } from '../../world.ts';
import { apiCall, apiWrites, type Cost } from '../calls.ts';
import { type Fate, fateOf, HelmKilled, helmWasKilled } from './helm-killed.ts';
import {
  baseOf,
  lineOf,
  record,
  refuseUnfinished,
  releaseKey,
  type Releases,
  type Revision,
  statusOf,
} from './helm-records.ts';
import { applyRelease, deleteObjects, refuseForeign } from './release-objects.ts';
import { tellRefusals, type ValueRefusal } from './render-refusals.ts';

export type { Releases };

export type RenderChart = (request: ReleaseRequest) =>
  | { readonly ok: true; readonly objects: readonly KubeObject[] }
  | {
      readonly ok: false;
      readonly message: string;
      readonly problems?: readonly ValueRefusal[];
    };

export function createHelmPort(
  world: World,
  render: RenderChart,
  releases: Releases = new Map(),
): HelmPort {
  const call = (cost: Cost): Call => {
    const fate = fateOf(releases);
    cost.beforeWrite = fate.beforeWrite;
    return { world, render, releases, cost, fate };
  };
  const historyOf = (release: string, namespace: string): readonly Revision[] =>
    releases.get(releaseKey(release, namespace)) ?? [];
  return {
    status: (release, namespace) => apiCall(world, () => lastOf(historyOf(release, namespace))),
    history: (release, namespace) =>
      apiCall(world, () => historyOf(release, namespace).map((entry) => lineOf(world, entry))),
    manifest: (release, namespace, { revision } = {}) =>
      apiCall(world, () => revisionIn(historyOf(release, namespace), revision).objects),
    template: (request) =>
      apiCall(world, () => {
        const rendered = render(request);
        if (!rendered.ok) throw new RegaugeError('refused', rendered.message);
        return rendered.objects;
      }),
    upgradeOrInstall: (request, { unfinished = 'refuse' } = {}) =>
      apiWrites(world, (cost) => {
        const { release, namespace } = request;
        const run = call(cost);
        if (unfinished === 'repair') repair(run, release, namespace);
        return upgradeOrInstall(run, request);
      }),
    repair: (release, namespace) =>
      apiWrites(world, (cost) => repair(call(cost), release, namespace)),
    uninstall: (release, namespace) =>
      apiWrites(world, (cost) => uninstall(call(cost), release, namespace)),
    rollback: (release, namespace, revision) =>
      apiWrites(world, (cost) => rollback(call(cost), releaseKey(release, namespace), revision)),
  };
}

interface Call {
  readonly world: World;
  readonly render: RenderChart;
  readonly releases: Releases;
  readonly cost: Cost;
  readonly fate: Fate;
}

function lastOf(history: readonly Revision[]): ReleaseStatus | undefined {
  const last = history.at(-1);
  return last === undefined ? undefined : statusOf(last);
}

function revisionIn(history: readonly Revision[], wanted: number | undefined): Revision {
  const found =
    wanted === undefined ? history.at(-1) : history.find(({ revision }) => revision === wanted);
  if (found === undefined) throw new RegaugeError('not-found', 'release: not found');
  return found;
}

function upgradeOrInstall(call: Call, request: ReleaseRequest): ReleaseStatus {
  const { world, render, releases } = call;
  const key = releaseKey(request.release, request.namespace);
  const history = releases.get(key) ?? [];
  refuseUnfinished(world, history);
  const rendered = render(request);
  if (!rendered.ok) throw renderFailed(world, request, rendered);
  const { release, version } = request;
  const done = history.length === 0 ? 'installed' : 'upgraded';
  world.kernel.occur('helm.release-applied', {
    message: `helm ${done} ${release}, chart ${version}`,
  });
  const next = {
    chartVersion: request.version,
    values: request.values,
    objects: rendered.objects,
    description: history.length === 0 ? 'Install complete' : 'Upgrade complete',
    meanwhile: history.length === 0 ? 'pending-install' : 'pending-upgrade',
  } as const;
  return statusOf(applied(call, request, { last: baseOf(history)?.objects ?? [], next }));
}

type NextRevision = Omit<Revision, 'revision' | 'at' | 'status'> & {
  /** How it stands until it is done. */
  readonly meanwhile: 'pending-install' | 'pending-upgrade' | 'pending-rollback';
};

/** A write that is refused in the middle leaves a failed revision, a Helm that is killed an unfinished one. */
function applied(
  { world, releases, cost, fate }: Call,
  release: ReleaseRequest,
  { last, next }: { readonly last: readonly KubeObject[]; readonly next: NextRevision },
): Revision {
  const key = releaseKey(release.release, release.namespace);
  const change = { release, last, next: next.objects };
  refuseForeign(world, change);
  try {
    applyRelease(world, change, cost);
    fate.atEnd();
  } catch (error) {
    if (error instanceof HelmKilled) {
      record(world, releases, key, { ...next, status: next.meanwhile });
      throw helmWasKilled(`${next.meanwhile.replace('pending-', '')} ${release.release}`);
    }
    const description = error instanceof Error ? error.message : String(error);
    record(world, releases, key, { ...next, status: 'failed', description });
    throw error;
  }
  return record(world, releases, key, { ...next, status: 'deployed' });
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

function uninstall(
  { world, releases, cost, fate }: Call,
  release: string,
  namespace: string,
): void {
  const key = releaseKey(release, namespace);
  const history = releases.get(key) ?? [];
  const current = history.at(-1);
  if (current === undefined)
    throw new RegaugeError(
      'not-found',
      `uninstall: Release not loaded: ${release}: release: not found`,
    );
  world.kernel.occur('helm.release-uninstalled', { message: `helm uninstalled ${release}` });
  try {
    deleteObjects(world, current.objects, cost);
    fate.atEnd();
  } catch (error) {
    if (!(error instanceof HelmKilled)) throw error;
    releases.set(key, [...history.slice(0, -1), { ...current, status: 'uninstalling' }]);
    throw helmWasKilled(`uninstall ${release}`);
  }
  releases.delete(key);
}

function rollback(call: Call, key: string, revision: number | undefined): ReleaseStatus {
  const { world, releases } = call;
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
  const description = `Rollback to ${target.revision}`;
  const next = { ...target, description, meanwhile: 'pending-rollback' } as const;
  return statusOf(
    applied(
      call,
      { release, namespace, chart: 'cilium', version, values },
      { last: current.objects, next },
    ),
  );
}

function repair(call: Call, release: string, namespace: string): ReleaseStatus | undefined {
  const key = releaseKey(release, namespace);
  const history = call.releases.get(key) ?? [];
  const last = history.at(-1);
  if (last === undefined || !isUnfinished(last)) return lastOf(history);
  const good =
    last.status === 'uninstalling'
      ? undefined
      : history.findLast(({ status }) => status === 'deployed' || status === 'superseded');
  if (good !== undefined) return rollback(call, key, good.revision);
  uninstall(call, release, namespace);
  return undefined;
}
