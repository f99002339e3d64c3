/** What a Node object says of its machine. */
import type { NodeObject } from './kubernetes.ts';

const CONTROL_PLANE_LABELS = [
  'node-role.kubernetes.io/control-plane',
  'node-role.kubernetes.io/master',
] as const;

export function isControlPlane({ metadata }: Pick<NodeObject, 'metadata'>): boolean {
  return CONTROL_PLANE_LABELS.some((label) => metadata.labels?.[label] !== undefined);
}

/** In the order of the object; the first is the one that others speak to. */
export function internalIpsOf({ status }: Pick<NodeObject, 'status'>): readonly string[] {
  return (status.addresses ?? [])
    .filter(({ type }) => type === 'InternalIP')
    .map(({ address }) => address);
}
