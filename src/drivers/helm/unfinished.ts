/**
 * Releases that a run of Helm left half-way: said as what they are, and put right when the caller
 * asks for it. Helm has no lock to ask, only the record, so that a record is looked at until it has
 * stood still for long enough that nobody works on it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RegaugeError } from '../../base/errors.ts';
import { isUnfinished, type ReleaseRevision, type ReleaseStatus } from '../../ports/index.ts';
import type { Bounds } from './bounded.ts';
import type { HelmClient } from './helm-client.ts';
import {
  historyOf,
  lastOf,
  presentStatus,
  type ReleaseName,
  rollBack,
  statusOf,
} from './releases.ts';

export interface RepairSettings {
  /** How long a record must not change before it is taken for left behind, in milliseconds. */
  readonly settleMs: number;
}

const LOOK_EVERY_MS = 2_000;

/** Throws `conflict` with what is half-way, since when, and the way out. */
export async function refuseUnfinished(
  helm: HelmClient,
  { release, namespace }: ReleaseName,
  bounds: Bounds,
): Promise<void> {
  const last = await lastOf(helm, release, namespace, bounds);
  if (last === undefined || !isUnfinished(last)) return;
  throw new RegaugeError(
    'conflict',
    `release ${release} in ${namespace} is ${last.status} at revision ${last.revision} since ${last.updatedAt}: a run of Helm goes on, or was broken off`,
    {
      hint:
        last.status === 'pending-install' || last.status === 'uninstalling'
          ? `When nobody runs it any more: helm -n ${namespace} uninstall ${release}`
          : `When nobody runs it any more: helm -n ${namespace} rollback ${release} <last deployed revision>`,
    },
  );
}

export async function repair(
  helm: HelmClient,
  name: ReleaseName,
  { settleMs }: RepairSettings,
  bounds: Bounds,
): Promise<ReleaseStatus | undefined> {
  const { release, namespace } = name;
  const left = await leftBehind(helm, name, settleMs, bounds);
  if (left === undefined) return statusOf(helm, release, namespace, bounds);
  const good = await goodRevision(helm, name, left, bounds);
  if (good === undefined) {
    await helm.write(['uninstall', release], { namespace }, bounds);
    return statusOf(helm, release, namespace, bounds);
  }
  await rollBack(helm, name, good.revision, bounds);
  return presentStatus(helm, name, bounds);
}

/** The record once it has stood still; undefined when the release is not, or no longer, half-way. */
async function leftBehind(
  helm: HelmClient,
  { release, namespace }: ReleaseName,
  settleMs: number,
  bounds: Bounds,
): Promise<ReleaseRevision | undefined> {
  let seen: ReleaseRevision | undefined;
  let stillFrom = 0;
  for (;;) {
    const last = await lastOf(helm, release, namespace, bounds);
    if (last === undefined || !isUnfinished(last)) return undefined;
    const now = performance.now();
    if (seen?.revision !== last.revision || seen.status !== last.status) stillFrom = now;
    if (now - stillFrom >= settleMs) return last;
    seen = last;
    const waitMs = Math.min(LOOK_EVERY_MS, settleMs - (now - stillFrom));
    await pause(waitMs, bounds);
  }
}

async function pause(milliseconds: number, { signal }: Bounds): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}

/** Where an upgrade that was broken off goes back to; nowhere, when it was the first installation. */
async function goodRevision(
  helm: HelmClient,
  { release, namespace }: ReleaseName,
  left: ReleaseRevision,
  bounds: Bounds,
): Promise<ReleaseRevision | undefined> {
  if (left.status === 'uninstalling') return undefined;
  const history = await historyOf(helm, release, namespace, bounds);
  return (
    history.findLast(({ status }) => status === 'deployed') ??
    history.findLast(({ status }) => status === 'superseded')
  );
}
