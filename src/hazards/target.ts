/**
 * What the target's values say about things that several hazards ask for. Only keys that are written
 * count; a default that matters is said beside it with the chart versions it holds for.
 */
import { parseCidr } from '../base/cidr.ts';
import type { Cidr } from '../base/cidr.ts';
import type { Source } from '../base/source.ts';
import type { ClusterFacts, TargetFacts } from '../model/facts.ts';

export interface TargetPool {
  readonly target: TargetFacts;
  readonly cidr: Cidr;
  readonly source: Source;
}

const POOL_KEYS = [
  'ipam.operator.clusterPoolIPv4PodCIDRList',
  'ipam.operator.clusterPoolIPv6PodCIDRList',
];

/** The pod pools that are to be installed, element by element. Invalid texts are left to others. */
export function targetPools(facts: ClusterFacts): readonly TargetPool[] {
  return facts.targets.flatMap((target) => POOL_KEYS.flatMap((key) => poolsAt(target, key)));
}

function poolsAt(target: TargetFacts, key: string): readonly TargetPool[] {
  const list = target.at(key);
  if (list === undefined) return [];
  const texts = Array.isArray(list.value) ? (list.value as unknown[]) : [list.value];
  return texts.flatMap((text, index) => {
    const cidr = typeof text === 'string' ? parseCidr(text) : undefined;
    const element = target.values.at([...key.split('.'), index]);
    return cidr === undefined ? [] : [{ target, cidr, source: element?.source ?? list.source }];
  });
}

/** The value as a truth value; `"true"` counts, as the chart's templates take it. */
export function isOn(target: TargetFacts, path: string): boolean {
  const value = target.at(path)?.value;
  return value === true || value === 'true';
}

export function isOff(target: TargetFacts, path: string): boolean {
  const value = target.at(path)?.value;
  return value === false || value === 'false';
}

/** kube-proxy replacement in any of the spellings that charts have taken. */
export function replacesKubeProxy(target: TargetFacts): boolean {
  return (
    isOn(target, 'kubeProxyReplacement') || target.at('kubeProxyReplacement')?.value === 'strict'
  );
}

/** Chart default true (1.14 to 1.20); inert while `cni.customConf` is on. */
export function isExclusive(target: TargetFacts): boolean {
  return !isOff(target, 'cni.exclusive') && !isOn(target, 'cni.customConf');
}
