/**
 * Which config changes Talos <= 1.13 applies without a reboot: the whitelist of `CanApplyImmediate`
 * (`talos:internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_runtime.go@v1.10.5`; knowledge
 * talos-and-cni-selection.md 4.6). Everything a CNI migration touches is on it.
 */
import { isDeepStrictEqual } from 'node:util';

const IMMEDIATE: readonly string[] = [
  'cluster',
  'debug',
  'machine.ca',
  'machine.acceptedCAs',
  'machine.certSANs',
  'machine.controlPlane',
  'machine.features.apidCheckExtKeyUsage',
  'machine.features.hostDNS',
  'machine.features.imageCache',
  'machine.features.kubePrism',
  'machine.features.kubernetesTalosAPIAccess',
  'machine.features.nodeAddressSortAlgorithm',
  'machine.features.rbac',
  'machine.install',
  'machine.kernel',
  'machine.kubelet',
  'machine.logging',
  'machine.network',
  'machine.nodeAnnotations',
  'machine.nodeLabels',
  'machine.nodeTaints',
  'machine.pods',
  'machine.registries',
  'machine.sysctls',
  'machine.sysfs',
  'machine.time',
];

/** Dotted paths at which the two configs differ, as shallow as tells the whitelist apart. */
export function changedPaths(before: unknown, after: unknown, path = ''): readonly string[] {
  if (isDeepStrictEqual(before, after) || (isUnset(before) && isUnset(after))) return [];
  const depth = path === '' ? 0 : path.split('.').length;
  if (depth >= 3 || !isMap(before) || !isMap(after)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) =>
    changedPaths(before[key], after[key], path === '' ? key : `${path}.${key}`),
  );
}

/** The changed paths that need a reboot. */
export function needReboot(paths: readonly string[]): readonly string[] {
  return paths.filter(
    (path) => !IMMEDIATE.some((allowed) => path === allowed || path.startsWith(`${allowed}.`)),
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Talos compares what it decoded, where an empty value is none; clients write some out. */
function isUnset(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isMap(value) && Object.values(value).every(isUnset);
}
