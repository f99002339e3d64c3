/** Why a pod does not run, in the kubelet's words. */
import type { PodObject } from '../../model/kubernetes.ts';

/** Reasons that do not go away by waiting (KK pkg/kubelet/images/types.go, kuberuntime). */
const FINAL = new Set([
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'RunContainerError',
]);

/** Undefined for a pod that is on its way; with `onlyFinal` also for one that may yet start. */
export function whyNotStarted(
  { status }: PodObject,
  { onlyFinal = false }: { readonly onlyFinal?: boolean } = {},
): string | undefined {
  // The kubelet does not take it: its node has no room, no match, or is shutting down.
  if (status.phase === 'Failed' && status.reason !== undefined) {
    return [status.reason, status.message].filter((part) => part !== undefined).join(': ');
  }
  for (const { state } of status.containerStatuses ?? []) {
    const { reason = '', message } = state?.waiting ?? {};
    if (reason === '' || (reason === 'ContainerCreating' && onlyFinal)) continue;
    if (onlyFinal && !FINAL.has(reason)) continue;
    return message === undefined ? reason : `${reason}: ${message}`;
  }
  if (onlyFinal) return undefined;
  const unmet = status.conditions?.find(
    ({ status: value, message }) => value === 'False' && message !== undefined,
  );
  return unmet?.message;
}
