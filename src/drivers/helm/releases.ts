/** Releases as `helm` tells of them. */
import { RegaugeError } from '../../base/errors.ts';
import type { HelmValues, ReleaseRevision, ReleaseStatus } from '../../ports/index.ts';
import type { Bounds } from './bounded.ts';
import type { HelmClient } from './helm-client.ts';
import { historyIn, valuesIn } from './output.ts';

/** More than Helm keeps of a release unless it is told to keep all. */
const REVISIONS_MAX = 256;

export async function historyOf(
  helm: HelmClient,
  release: string,
  namespace: string,
  bounds: Bounds,
  max = REVISIONS_MAX,
): Promise<readonly ReleaseRevision[]> {
  const args = ['history', release, '--max', String(max), '--output', 'json'];
  try {
    return historyIn(await helm.run(args, { namespace }, bounds));
  } catch (error) {
    if (error instanceof RegaugeError && error.code === 'not-found') return [];
    throw error;
  }
}

export async function lastOf(
  helm: HelmClient,
  release: string,
  namespace: string,
  bounds: Bounds,
): Promise<ReleaseRevision | undefined> {
  const lines = await historyOf(helm, release, namespace, bounds, 1);
  return lines.at(-1);
}

export async function statusOf(
  helm: HelmClient,
  release: string,
  namespace: string,
  bounds: Bounds,
): Promise<ReleaseStatus | undefined> {
  const last = await lastOf(helm, release, namespace, bounds);
  if (last === undefined) return undefined;
  const { revision, status, chartVersion } = last;
  const values = await valuesOf(helm, { release, namespace, revision }, bounds);
  return { revision, status, chartVersion, values };
}

async function valuesOf(
  helm: HelmClient,
  { release, namespace, revision }: ReleaseName & { readonly revision: number },
  bounds: Bounds,
): Promise<HelmValues> {
  const args = ['get', 'values', release, '--revision', String(revision), '--output', 'json'];
  return valuesIn(await helm.run(args, { namespace }, bounds));
}

export interface ReleaseName {
  readonly release: string;
  readonly namespace: string;
}

/** For after a write: that a release is not there any more is a failure then. */
export async function presentStatus(
  helm: HelmClient,
  { release, namespace }: ReleaseName,
  bounds: Bounds,
): Promise<ReleaseStatus> {
  const status = await statusOf(helm, release, namespace, bounds);
  if (status !== undefined) return status;
  throw new RegaugeError('not-found', `release ${release} in ${namespace} is gone again`, {
    hint: 'Somebody else uninstalled it meanwhile.',
  });
}

/** To the revision before the last, when none is given. */
export async function rollBack(
  helm: HelmClient,
  { release, namespace }: ReleaseName,
  revision: number | undefined,
  bounds: Bounds,
): Promise<void> {
  const target = revision === undefined ? [] : [String(revision)];
  const args = ['rollback', release, ...target, ...(await helm.overwriting())];
  await helm.write(args, { namespace }, bounds);
}
