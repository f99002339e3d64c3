/** FM-04: the cluster pool of one values file is not that of the next, or of the live cluster. */
import { parseCidr, contains } from '../../base/cidr.ts';
import type { Source } from '../../base/source.ts';
import type { ClusterFacts, TargetFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { evidenceIn, finding, judged, listOf, MISSING, unjudged } from '../finding.ts';
import { locate, objectsOf } from '../objects.ts';

export const hazard: Hazard = {
  id: 'pool-changed-in-place',
  covers: ['FM-04'],
  title: 'The cluster pool is changed in place',
  severity: 'critical',
  holdsFor: 'Cilium 1.13 to 1.20 in cluster-pool mode',
  why: 'Only the operator reads the pool, and it gives each node a range once. A range may be appended; one that is edited or taken away leaves existing nodes on their old range with an error in their CiliumNode, gives new nodes ranges of the new pool, and re-addresses nobody. Restarting the agents changes nothing at all.',
  references: [
    'cilium:Documentation/network/concepts/ipam/cluster-pool.rst@main',
    'cilium:pkg/ipam/allocator/podcidr/podcidr.go@v1.16.5',
    'cilium/cilium#28266',
    'truth:P12',
    'truth:P13',
  ],
  foretell,
  signs: { occurrences: ['cilium-operator.pool-changed'] },
};

const POOL = 'ipam.operator.clusterPoolIPv4PodCIDRList';
const MASK = 'ipam.operator.clusterPoolIPv4MaskSize';

interface Pool {
  readonly ranges: readonly string[];
  readonly mask: unknown;
  readonly evidence: Evidence;
  readonly name: string;
}

function foretell(facts: ClusterFacts): Foretelling {
  const targets = facts.targets.flatMap((target) => poolOf(target));
  if (targets.length === 0) return unjudged(MISSING.targetPool);
  const live = facts.liveRelease === undefined ? [] : poolOf(facts.liveRelease);
  const steps = [...live, ...targets];
  const between = steps.flatMap((later, index) => {
    const earlier = steps[index - 1];
    return earlier === undefined ? [] : change(earlier, later);
  });
  const last = targets.at(-1);
  const nodes = last === undefined ? [] : stranded(facts, last);
  return judged([...between, ...nodes]);
}

function poolOf(target: TargetFacts): readonly Pool[] {
  const mode = target.at('ipam.mode')?.value ?? 'cluster-pool';
  const list = target.at(POOL);
  if (mode !== 'cluster-pool' || list === undefined) return [];
  const ranges = Array.isArray(list.value)
    ? list.value.map(String)
    : String(list.value).split(/[\s,]+/);
  const first = target.values.at([...POOL.split('.'), 0]);
  const source: Source = first?.source ?? list.source;
  const evidence = evidenceAt(source, first?.value ?? list.value);
  const name = target.source.file ?? 'the live release';
  return [{ ranges, mask: target.at(MASK)?.value ?? 24, evidence, name }];
}

/** Appending is the one change that is supported. */
function change(earlier: Pool, later: Pool): readonly Finding[] {
  const appended = earlier.ranges.every((range, index) => later.ranges[index] === range);
  if (appended && earlier.mask === later.mask) return [];
  const what = appended
    ? `the mask size from ${String(earlier.mask)} to ${String(later.mask)}`
    : `the pool from ${listOf(earlier.ranges)} to ${listOf(later.ranges)}`;
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `${later.name} changes ${what} (${earlier.name}). No node that has a range takes another one for it: the operator reports "allocator not configured for the requested CIDR", old nodes keep their ranges, new ones get the new pool, and no pod changes its address.`,
      evidence: [later.evidence, earlier.evidence],
      fix: {
        summary:
          'Choose the final pool before the first agent starts and keep it. To grow, append a range. To leave one, drain a node, delete its CiliumNode, restart its agent, node by node.',
      },
    }),
  ];
}

/** CiliumNodes whose range lies in no range of the pool. */
function stranded(facts: ClusterFacts, pool: Pool): readonly Finding[] {
  const ranges = pool.ranges.flatMap((text) => parseCidr(text) ?? []);
  const outside = objectsOf(facts, 'CiliumNode').flatMap((read) => {
    const found = read.tree.at(['spec', 'ipam', 'podCIDRs']);
    const texts = Array.isArray(found?.value) ? found.value.map(String) : [];
    const lost = texts.filter((text) => {
      const cidr = parseCidr(text);
      return cidr?.family === 4 && !ranges.some((range) => contains(range, cidr));
    });
    return lost.length === 0 ? [] : [{ read, lost }];
  });
  if (outside.length === 0) return [];
  const names = outside.map(({ read }) => read.object.metadata.name);
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `The pool of ${pool.name} is ${listOf(pool.ranges)}, and ${listOf(names)} already ${names.length === 1 ? 'has' : 'have'} ranges outside it (${listOf(outside.flatMap(({ lost }) => lost))}). They keep them, and the operator cannot allocate for them any more.`,
      evidence: [
        pool.evidence,
        ...outside
          .slice(0, 11)
          .map(({ read, lost }) => evidenceIn(facts, locate(read), 'spec.ipam.podCIDRs', lost)),
      ],
      fix: {
        summary: 'Keep the ranges that nodes have in the pool, and append others behind them.',
      },
    }),
  ];
}
