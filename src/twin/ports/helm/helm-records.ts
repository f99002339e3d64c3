/** What Helm writes down of its releases: revisions with their state, as `helm history` shows them. */
import { RegaugeError } from '../../../base/errors.ts';
import type { KubeObject } from '../../../model/kubernetes.ts';
import {
  type HelmValues,
  isUnfinished,
  type ReleaseRevision,
  type ReleaseState,
  type ReleaseStatus,
} from '../../../ports/helm.ts';
import type { World } from '../../world.ts';

export interface Revision {
  readonly revision: number;
  readonly status: ReleaseState;
  readonly chartVersion: string;
  readonly values: HelmValues;
  readonly objects: readonly KubeObject[];
  /** Virtual milliseconds. */
  readonly at: number;
  readonly description: string;
}

/** Releases by `namespace/name`, oldest revision first. */
export type Releases = Map<string, readonly Revision[]>;

export function releaseKey(release: string, namespace: string): string {
  return `${namespace}/${release}`;
}

export function statusOf({ revision, status, chartVersion, values }: Revision): ReleaseStatus {
  return { revision, status, chartVersion, values };
}

export function lineOf({ kernel }: World, entry: Revision): ReleaseRevision {
  const { revision, status, chartVersion, at, description } = entry;
  const updatedAt = new Date(kernel.epochMs + at).toISOString();
  return { revision, status, chartVersion, updatedAt, description };
}

/** What an upgrade is compared with: the last revision that was deployed, else the last of all. */
export function baseOf(history: readonly Revision[]): Revision | undefined {
  return history.findLast(({ status }) => status === 'deployed') ?? history.at(-1);
}

/** The next revision; a new one that is deployed supersedes the one before (`helm:pkg/action`). */
export function record(
  { kernel }: World,
  releases: Releases,
  key: string,
  what: Omit<Revision, 'revision' | 'at'>,
): Revision {
  const history = releases.get(key) ?? [];
  const entry: Revision = {
    ...what,
    revision: (history.at(-1)?.revision ?? 0) + 1,
    at: kernel.now(),
  };
  const before =
    what.status === 'deployed'
      ? history.map((old): Revision =>
          old.status === 'deployed' ? { ...old, status: 'superseded' } : old,
        )
      : history;
  releases.set(key, [...before, entry]);
  return entry;
}

/** `helm:pkg/action/upgrade.go`: errPending. */
export function refuseUnfinished({ kernel }: World, history: readonly Revision[]): void {
  const last = history.at(-1);
  if (last === undefined || !isUnfinished(last)) return;
  const message = `helm did nothing: revision ${last.revision} of the release is ${last.status}`;
  kernel.because(kernel.causes, () => kernel.occur('helm.release-held', { message }));
  throw new RegaugeError(
    'conflict',
    'another operation (install/upgrade/rollback) is in progress',
    { hint: `revision ${last.revision} is ${last.status}` },
  );
}
