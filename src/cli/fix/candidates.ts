/**
 * What could be changed, and what was given with changes made: other choices of the planner, and what
 * `check` would correct in the values that are the target.
 */
import { evaluateHazards } from '../../hazards/registry.ts';
import type { Finding } from '../../model/finding.ts';
import type { PlanChange } from '../../model/fix-search.ts';
import type { NodeStrategy } from '../../model/plan.ts';
import { alternatives } from '../../planner/alternatives.ts';
import type { RehearseFlags } from '../flags.ts';
import { intentOf } from '../input/plan-asked.ts';
import type { ClusterMaterial, ClusterRead } from '../input/read-cluster.ts';
import { patchedValues } from './patch-values.ts';

/** What a trial starts from. */
export interface Given {
  readonly flags: RehearseFlags;
  readonly material: ClusterMaterial;
}

/** Corrections first: they are what somebody would do anyway. */
export function candidatesFor(flags: RehearseFlags, read: ClusterRead): readonly PlanChange[] {
  const { target } = flags;
  const corrections =
    target === undefined
      ? []
      : evaluateHazards(read.facts).findings.flatMap((finding) => correction(finding, target));
  const others = alternatives(read.facts, intentOf(flags, read));
  return [...uniquePatches(corrections), ...others];
}

/** A patch of the target that is whole: where a person has to fill something in, nobody else can. */
function correction(
  { hazard, title, fix, evidence }: Finding,
  target: string,
): readonly PlanChange[] {
  const yaml = fix?.patch;
  if (fix === null || yaml === undefined || yaml.includes('<')) return [];
  if (evidence[0]?.file !== target) return [];
  const patch = { file: target, yaml };
  return [{ id: hazard, about: hazard, change: fix.summary, because: title, patch }];
}

/** One of each patch; where a hazard corrects several values, each is a change of its own. */
function uniquePatches(changes: readonly PlanChange[]): readonly PlanChange[] {
  const seen = new Set<string>();
  const times = new Map<string, number>();
  return changes.flatMap((change) => {
    const yaml = change.patch?.yaml ?? '';
    if (seen.has(yaml)) return [];
    seen.add(yaml);
    const time = (times.get(change.id) ?? 0) + 1;
    times.set(change.id, time);
    const id = time === 1 ? change.id : `${change.id}-${time}`;
    return [{ ...change, id, about: id }];
  });
}

/** Undefined where a patch does not fit its file. */
export function withChanges(given: Given, changes: readonly PlanChange[]): Given | undefined {
  let changed: Given | undefined = given;
  for (const change of changes) {
    if (changed === undefined) return undefined;
    changed = withPatch(withFlag(changed, change), change);
  }
  return changed;
}

function withFlag({ flags, material }: Given, { flag }: PlanChange): Given {
  if (flag === undefined) return { flags, material };
  const [name, value] = flag;
  switch (name) {
    case '--strategy':
      return { flags: { ...flags, strategy: value as NodeStrategy }, material }; // by alternatives
    case '--wave-size':
      return { flags: { ...flags, waveSize: Number(value) }, material };
    case '--pool-cidr':
      return { flags: { ...flags, poolCidr: value }, material };
    case '--cilium-version': {
      const named = { ...material.named, ciliumVersion: value };
      return { flags: { ...flags, ciliumVersion: value }, material: { ...material, named } };
    }
    default:
      return { flags, material };
  }
}

function withPatch({ flags, material }: Given, { patch }: PlanChange): Given | undefined {
  if (patch === undefined) return { flags, material };
  const before = material.files.files.find(({ path }) => path === patch.file);
  const text = before === undefined ? undefined : patchedValues(before.text, patch.yaml);
  if (before === undefined || text === undefined) return undefined;
  const files = material.files.files.map((file) =>
    file === before ? { path: file.path, named: file.named, text } : file,
  );
  return { flags, material: { ...material, files: { ...material.files, files } } };
}
