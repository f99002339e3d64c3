/**
 * Talos's strategic merge of plain data. Maps merge; lists are appended, but for the few that are
 * replaced or merged by a key of their entries; false overrides, other zero values do not.
 * Source: talos:pkg/machinery/config/merge/merge.go@v1.10.5 and the `merge:"replace"` tags and
 * Merge methods of pkg/machinery/config/types.
 */
import { canonicalJson } from '../../base/canonical-json.ts';

export type Table = Readonly<Record<string, unknown>>;

/** Paths whose list or map is replaced; `*` in front of the kind stands for every document. */
const REPLACED: ReadonlySet<string> = new Set([
  'v1alpha1:cluster.network.podSubnets',
  'v1alpha1:cluster.network.serviceSubnets',
  'v1alpha1:cluster.apiServer.auditPolicy',
  'KubeNetworkConfig:podSubnets',
  'KubeNetworkConfig:serviceSubnets',
  'KubeAuditPolicyConfig:configuration',
  'KubeAuthenticationConfig:configuration',
  'KubeStaticPodConfig:pod',
  'NetworkRuleConfig:ingress',
  'NetworkRuleConfig:portSelector.ports',
]);

/** Lists whose entries merge when the named key is equal. */
const KEYED: Readonly<Record<string, readonly string[]>> = {
  'v1alpha1:machine.network.interfaces': ['interface', 'deviceSelector'],
  'v1alpha1:machine.network.interfaces.vlans': ['vlanId'],
  'v1alpha1:cluster.apiServer.admissionControl': ['name'],
  'ExtensionServiceConfig:configFiles': ['mountPath'],
};

export function mergeConfig(kind: string, left: Table, right: Table): Table {
  return mergeTables(kind, '', left, right);
}

export function isTable(value: unknown): value is Table {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function mergeTables(kind: string, path: string, left: Table, right: Table): Table {
  const merged: Record<string, unknown> = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const at = path === '' ? key : `${path}.${key}`;
    merged[key] = mergeValues(kind, at, merged[key], value);
  }
  return merged;
}

function mergeValues(kind: string, path: string, left: unknown, right: unknown): unknown {
  if (isZero(right)) return left === undefined ? right : left;
  if (left === undefined || left === null || REPLACED.has(`${kind}:${path}`)) return right;
  if (isTable(left) && isTable(right)) return mergeTables(kind, path, left, right);
  if (Array.isArray(left) && Array.isArray(right)) return mergeLists(kind, path, left, right);
  return right;
}

/** Zero values of the Go types; false is a value. */
function isZero(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0;
}

function mergeLists(
  kind: string,
  path: string,
  left: readonly unknown[],
  right: readonly unknown[],
): readonly unknown[] {
  const keys = KEYED[`${kind}:${path}`];
  if (keys === undefined) return [...left, ...right];
  const merged = [...left];
  for (const entry of right) {
    const index = merged.findIndex((other) => sameEntry(keys, other, entry));
    const match = merged[index];
    if (isTable(match) && isTable(entry)) merged[index] = mergeTables(kind, path, match, entry);
    else merged.push(entry);
  }
  return merged;
}

function sameEntry(keys: readonly string[], left: unknown, right: unknown): boolean {
  if (!isTable(left) || !isTable(right)) return false;
  return keys.some((key) => {
    const value = right[key];
    return value !== undefined && canonicalJson(value) === canonicalJson(left[key]);
  });
}
