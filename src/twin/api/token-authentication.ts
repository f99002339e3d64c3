/**
 * Validation of service account tokens as the API server does it, with its own words (KK
 * pkg/serviceaccount/claims.go, jwt.go). A client hears `Unauthorized` only; the reason is in the
 * API server's log, here in the occurrence.
 */
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Constants } from '../constants.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { ServiceAccountToken } from '../world.ts';
import { disturbancesOf } from './disturbances.ts';

export interface TokenRefusal {
  /** The occurrence's kind. */
  readonly kind:
    | 'token.expired'
    | 'token.not-yet-valid'
    | 'token.service-account-deleted'
    | 'token.service-account-recreated'
    | 'token.pod-gone';
  readonly reason: string;
  readonly because: readonly OccurrenceId[];
}

export interface AuthenticationParts {
  readonly kernel: Kernel;
  readonly store: ObjectStore;
  readonly constants: Constants;
}

/** go-jose jwt.DefaultLeeway: clocks may differ by a minute. */
const LEEWAY_MS = 60_000;

/** Why the token is refused; undefined when it is good. */
export function refusalOf(
  token: ServiceAccountToken,
  { kernel, store, constants }: AuthenticationParts,
): TokenRefusal | undefined {
  const { namespace, serviceAccount, serviceAccountUid, podUid, podName } = token;
  const now = kernel.now() - disturbancesOf(store).clockBehindMs;
  if (now + LEEWAY_MS < token.issuedAtMs) {
    const reason = 'token not valid yet (nbf)';
    return { kind: 'token.not-yet-valid', reason, because: token.because };
  }
  // Valid for a year although the kubelet refreshes it after 48 minutes (failure-domains.md 2.1).
  if (now > token.issuedAtMs + constants.tokenExtendedSeconds * 1000) {
    const reason = 'service account token has expired';
    return { kind: 'token.expired', reason, because: token.because };
  }
  const account = store.get('ServiceAccount', namespace, serviceAccount);
  if (account === undefined) {
    const reason = `service account ${namespace}/${serviceAccount} has been deleted`;
    return { kind: 'token.service-account-deleted', reason, because: token.because };
  }
  if (account.metadata.uid !== serviceAccountUid) {
    const reason = `service account UID (${account.metadata.uid ?? ''}) does not match claim (${serviceAccountUid})`;
    const because = [...store.causesOf(account), ...token.because];
    return { kind: 'token.service-account-recreated', reason, because };
  }
  if (podName === undefined) return undefined;
  const pod = store.get('Pod', namespace, podName);
  if (pod === undefined) {
    const reason = 'service account token has been invalidated';
    return { kind: 'token.pod-gone', reason, because: token.because };
  }
  if (pod.metadata.uid !== podUid) {
    const reason = `pod UID (${pod.metadata.uid ?? ''}) does not match service account pod ref claim (${podUid})`;
    return { kind: 'token.pod-gone', reason, because: token.because };
  }
  return undefined;
}
