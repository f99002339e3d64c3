/**
 * Projected service account tokens. The kubelet asks for one at pod start and again at 80 % of its
 * 3607 s, when it next syncs the pod (KK pkg/kubelet/token/token_manager.go); its cache is keyed by
 * account name, audience, expiry and pod UID, not by the account's UID, and lives in memory. So
 * which token a pod holds follows from times alone, and is worked out when somebody asks.
 */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { KubeObject, PodObject } from '../../model/kubernetes.ts';
import type { Constants } from '../constants.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { ServiceAccountToken } from '../world.ts';
import { phaseOf } from './rhythm.ts';

interface AccountVersion {
  readonly at: number;
  readonly uid: string;
}

/** Which UID an account had when. */
export class ServiceAccounts {
  private readonly versions = new Map<string, AccountVersion[]>();
  private readonly kernel: Kernel;

  constructor(store: ObjectStore, kernel: Kernel) {
    this.kernel = kernel;
    for (const account of store.list('ServiceAccount')) this.see(account);
    store.watch('ServiceAccount', ({ type, object }) => {
      if (type === 'added') this.see(object);
    });
  }

  /** The UID of the account that answered a token request at the time; the first one known before. */
  uidAt(namespace: string, name: string, time: number): string | undefined {
    const versions = this.versions.get(`${namespace}/${name}`);
    return (versions?.findLast(({ at }) => at <= time) ?? versions?.[0])?.uid;
  }

  private see(account: KubeObject): void {
    const key = `${account.metadata.namespace ?? 'default'}/${account.metadata.name}`;
    const { uid } = account.metadata;
    if (uid === undefined) return;
    const versions = this.versions.get(key) ?? [];
    if (versions.at(-1)?.uid === uid) return;
    this.versions.set(key, [...versions, { at: this.kernel.now(), uid }]);
  }
}

const registries = new WeakMap<ObjectStore, ServiceAccounts>();

export function serviceAccountsOf(store: ObjectStore, kernel: Kernel): ServiceAccounts {
  let found = registries.get(store);
  if (found === undefined) registries.set(store, (found = new ServiceAccounts(store, kernel)));
  return found;
}

export interface TokenTimes {
  /** When the pod's first token was asked for; before the start for an adopted pod. */
  readonly podStartedAt: number;
  /** When the kubelet's cache was last emptied, if it was. */
  readonly cacheEmptiedAt: number | undefined;
  /** When the pod's mount stopped showing what the kubelet writes, if it did. */
  readonly mountLostAt: number | undefined;
  readonly because: readonly OccurrenceId[];
}

/** The token a pod reads from its volume at the time. */
export function tokenAt(
  pod: PodObject,
  times: TokenTimes,
  now: number,
  parts: { readonly accounts: ServiceAccounts; readonly constants: Constants },
): ServiceAccountToken {
  const namespace = pod.metadata.namespace ?? 'default';
  const serviceAccount = pod.spec.serviceAccountName ?? 'default';
  const podUid = pod.metadata.uid ?? '';
  const issuedAtMs = issuedAt(podUid, times, now, parts.constants);
  return {
    namespace,
    serviceAccount,
    serviceAccountUid: parts.accounts.uidAt(namespace, serviceAccount, issuedAtMs) ?? '',
    podUid,
    podName: pod.metadata.name,
    issuedAtMs,
    because: times.because,
  };
}

function issuedAt(podUid: string, times: TokenTimes, now: number, constants: Constants): number {
  const seenUntil = Math.min(now, times.mountLostAt ?? now);
  const emptied = times.cacheEmptiedAt;
  // A token asked for by the restart that lost the mount is not seen any more.
  const inTime = emptied !== undefined && emptied < (times.mountLostAt ?? Infinity);
  const usesEmptied = inTime && emptied > times.podStartedAt;
  const first = usesEmptied ? emptied : times.podStartedAt;
  const period = refreshPeriod(podUid, constants);
  return first + Math.max(0, Math.floor((seenUntil - first) / period)) * period;
}

/** Due a little early, asked for at the pod's next sync after that (failure-domains.md 2.1, 4). */
function refreshPeriod(podUid: string, constants: Constants): number {
  const { tokenRefreshSeconds, tokenRefreshJitterMs, tokenSyncLagMs } = constants;
  return (
    tokenRefreshSeconds * 1000 +
    phaseOf(`${podUid}/token-due`, tokenRefreshJitterMs) -
    phaseOf(`${podUid}/token`, tokenSyncLagMs)
  );
}

/** For a pod that ran before the start: some moment of the period that was running. */
export function adoptedTokenStart(podUid: string, constants: Constants): number {
  return phaseOf(`${podUid}/adopted`, constants.tokenRefreshSeconds * 1000);
}
