/**
 * What the API server adds to a pod that is created: the 300 s tolerations of a node that is not
 * ready or not reachable, and the service account (KK plugin/pkg/admission/defaulttolerationseconds,
 * serviceaccount).
 */
import type { PodObject, Toleration } from '../../model/kubernetes.ts';
import type { Constants } from '../constants.ts';
import type { ObjectStore } from '../store/object-store.ts';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';

export function withPodDefaults<T extends Omit<PodObject, 'metadata'>>(
  pod: T,
  constants: Constants,
): T {
  const tolerations = withDefaultTolerations(pod.spec.tolerations, constants);
  const serviceAccountName = pod.spec.serviceAccountName ?? 'default';
  return { ...pod, spec: { ...pod.spec, tolerations, serviceAccountName } };
}

/** Why the pod may not be created for want of its service account; undefined when it may. */
export function serviceAccountRefusal(
  store: ObjectStore,
  pod: { readonly name: string; readonly namespace: string; readonly serviceAccount: string },
): string | undefined {
  const { name, namespace, serviceAccount } = pod;
  if (store.get('ServiceAccount', namespace, serviceAccount) !== undefined) return undefined;
  return `pods "${name}" is forbidden: error looking up service account ${namespace}/${serviceAccount}: serviceaccount "${serviceAccount}" not found`;
}

function withDefaultTolerations(
  tolerations: readonly Toleration[] = [],
  constants: Constants,
): readonly Toleration[] {
  const missing = [NOT_READY, UNREACHABLE].filter((key) => !toleratesNoExecute(tolerations, key));
  if (missing.length === 0) return tolerations;
  const tolerationSeconds = constants.notReadyTolerationMs / 1000;
  return [
    ...tolerations,
    ...missing.map((key): Toleration => ({
      key,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds,
    })),
  ];
}

function toleratesNoExecute(tolerations: readonly Toleration[], key: string): boolean {
  return tolerations.some(
    (toleration) =>
      (toleration.key === key || toleration.key === undefined || toleration.key === '') &&
      (toleration.effect === 'NoExecute' ||
        toleration.effect === undefined ||
        toleration.effect === ''),
  );
}
