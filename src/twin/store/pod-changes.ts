/**
 * What of a pod a write changed, as a set of bits. Most writes of a pod say nothing to most of those
 * who follow pods: a watcher names the parts it acts on, and is told of no other writes.
 */
import type { PodObject } from '../../model/kubernetes.ts';
import { isPodReady } from '../kubelet/pod-status.ts';

/** The parts of a pod that somebody follows; put together with `|`. */
export const POD_PART = {
  labels: 1,
  /** When it is to be gone: its deletionTimestamp, and the grace it has. */
  deletion: 2,
  node: 4,
  phase: 8,
  ready: 16,
  podIp: 32,
  /** Whether it has a sandbox, by its conditions. */
  sandbox: 64,
} as const;

export const ALL_PARTS = -1;

/** What makes a pod count for its owner, or no longer. */
export const POD_COUNT = POD_PART.deletion | POD_PART.phase | POD_PART.ready;

/** The parts that differ; all of them for a pod that was written as it was, as for an informer's resync. */
export function changedParts(pod: PodObject, old: PodObject): number {
  if (pod.status === old.status && pod.spec === old.spec && isSameMetadata(pod, old))
    return ALL_PARTS;
  let parts = 0;
  if (pod.metadata !== old.metadata) {
    const { metadata } = pod;
    if (metadata.labels !== old.metadata.labels) parts |= POD_PART.labels;
    if (
      metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
      metadata.deletionGracePeriodSeconds !== old.metadata.deletionGracePeriodSeconds
    )
      parts |= POD_PART.deletion;
  }
  if (pod.spec.nodeName !== old.spec.nodeName) parts |= POD_PART.node;
  if (pod.status === old.status) return parts;
  if (pod.status.phase !== old.status.phase) parts |= POD_PART.phase;
  if (pod.status.podIP !== old.status.podIP) parts |= POD_PART.podIp;
  if (pod.status.conditions === old.status.conditions) return parts;
  if (isPodReady(pod) !== isPodReady(old)) parts |= POD_PART.ready;
  if (sandboxStatus(pod) !== sandboxStatus(old)) parts |= POD_PART.sandbox;
  return parts;
}

/** Undefined when the pod's conditions do not tell. */
export function sandboxStatus({ status }: PodObject): string | undefined {
  return status.conditions?.find(({ type }) => type === 'PodReadyToStartContainers')?.status;
}

function isSameMetadata({ metadata }: PodObject, { metadata: old }: PodObject): boolean {
  return (
    metadata.labels === old.labels &&
    metadata.annotations === old.annotations &&
    metadata.deletionTimestamp === old.deletionTimestamp &&
    metadata.deletionGracePeriodSeconds === old.deletionGracePeriodSeconds
  );
}
