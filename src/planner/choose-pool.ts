/** Which range Cilium's pods get: the wanted one when it is fine, a free one when none is wanted. */
import { parseCidr } from '../base/cidr.ts';
import { type ChartValues, listValue, valueAt } from '../knowledge/cilium-chart/values.ts';
import { evidenceAt, type Finding } from '../model/finding.ts';
import type { Intent } from './intent.ts';
import { choosePool, clashOf, roomIn, takenRanges } from './pool.ts';
import { refusal } from './refusal.ts';
import { decide, type Notes, type Situation } from './situation.ts';

export function poolFor(
  situation: Situation,
  values: ChartValues,
  maskSize: number,
  intent: Intent,
  notes: Notes,
): readonly string[] | undefined {
  const taken = takenRanges(situation);
  const listed = listValue(valueAt(values, 'ipam.operator.clusterPoolIPv4PodCIDRList'));
  const wanted = intent.poolCidr === undefined ? listed : [intent.poolCidr];
  const mode = valueAt(values, 'ipam.mode');
  if (mode !== undefined && mode !== 'cluster-pool') {
    decide(
      notes,
      'ipam.mode',
      'cluster-pool',
      `mode ${String(mode)} gives out the ranges Flannel uses, or needs another procedure; two overlays need two ranges`,
    );
  }
  if (
    wanted.length > 0 &&
    (mode === undefined || mode === 'cluster-pool' || intent.poolCidr !== undefined)
  ) {
    return usablePool(situation, wanted, maskSize, taken, notes);
  }
  const [old] = situation.podCidrs.map(parseCidr);
  const chosen = choosePool(old, situation.nodes.length, taken);
  if (chosen === undefined) {
    notes.refusals.push(
      poolRefusal(
        situation,
        'No range for pods is free',
        'Every private range that was tried overlaps the cluster’s own ranges.',
        undefined,
      ),
    );
    return undefined;
  }
  decide(
    notes,
    'pod pool',
    chosen,
    `none was given; it overlaps nothing that was read, holds ${roomIn([chosen], maskSize)} nodes and lies next to ${situation.podCidrs.join(', ')}. It is for good: a pool is never edited in place`,
  );
  return [chosen];
}

function usablePool(
  situation: Situation,
  wanted: readonly string[],
  maskSize: number,
  taken: ReturnType<typeof takenRanges>,
  notes: Notes,
): readonly string[] | undefined {
  for (const text of wanted) {
    const cidr = parseCidr(text);
    const clash = cidr === undefined ? undefined : clashOf(cidr, taken);
    if (cidr === undefined || clash !== undefined) {
      const [old] = situation.podCidrs.map(parseCidr);
      const free = choosePool(old, situation.nodes.length, taken);
      const why =
        clash === undefined
          ? `${text} is no CIDR.`
          : `${text} overlaps ${clash.what}, so that pods of both networks could get the same address, and routes of one would swallow the other's.`;
      notes.refusals.push(poolRefusal(situation, `The pod pool ${text} cannot be used`, why, free));
      return undefined;
    }
  }
  const room = roomIn(wanted, maskSize);
  if (room < situation.nodes.length) {
    notes.refusals.push(
      poolRefusal(
        situation,
        'The pod pool is too small',
        `${wanted.join(', ')} has ranges for ${room} nodes, and there are ${situation.nodes.length}.`,
        choosePool(situation.podCidrs.map(parseCidr)[0], situation.nodes.length, taken),
      ),
    );
    return undefined;
  }
  return wanted;
}

function poolRefusal(
  { target }: Situation,
  title: string,
  message: string,
  free: string | undefined,
): Finding {
  const located = target?.at('ipam.operator.clusterPoolIPv4PodCIDRList');
  return refusal({
    id: 'pod-pool-unusable',
    covers: ['FM-04'],
    title,
    message: `${message} The pool of the migration is for good: it cannot be edited once nodes have ranges of it (cilium#28266).`,
    fix:
      free === undefined
        ? 'Give a range that overlaps nothing.'
        : `Use a range that overlaps nothing, ${free} for one (--pool-cidr ${free}).`,
    ...(located === undefined ? {} : { evidence: [evidenceAt(located.source, located.value)] }),
    references: [
      'cilium#28266',
      'cilium:Documentation/network/concepts/ipam/cluster-pool.rst@main',
    ],
  });
}
