/**
 * Names causes: walks up the causal record of a rehearsal from each failure, and calls the
 * occurrences that are signs of a hazard by that hazard's name. The record knows mechanisms, the
 * hazards know what they mean; only here do the two meet.
 */
import type { Hazard } from '../model/hazard.ts';
import type { ObservedFailure } from '../model/observed-failure.ts';
import type { Occurrence, OccurrenceId } from '../model/occurrence.ts';
import type { RehearsalCause, RehearsalFailure } from '../model/rehearsal.ts';

export interface NamedCauses {
  readonly causes: readonly RehearsalCause[];
  readonly failures: readonly RehearsalFailure[];
}

/** More causes than this behind one failure are not told apart any more; the nearest stay. */
const CAUSES_MAX = 16;
/** Evidence shown per cause; the same thing often happens once per pod. */
const EVIDENCE_MAX = 3;

export function nameCauses(
  occurrences: readonly Occurrence[],
  observed: readonly ObservedFailure[],
  hazards: readonly Hazard[],
): NamedCauses {
  const graph = new CauseGraph(occurrences, hazards);
  const failures = observed.map((failure): RehearsalFailure => {
    const { because, ...rest } = failure;
    const nearest = graph.causesBehind(because);
    return { ...rest, rootCauses: graph.rootsOf(nearest), because: nearest.toSorted() };
  });
  return {
    failures,
    causes: graph.named(
      failures.flatMap((failure) => failure.rootCauses),
      observed,
    ),
  };
}

class CauseGraph {
  private readonly hazardOfKind: ReadonlyMap<string, Hazard>;
  /** For each occurrence (by id − 1): the nearest named causes at or above it. */
  private readonly above: (readonly string[])[] = [];
  private readonly members = new Map<string, Occurrence[]>();
  private readonly parents = new Map<string, Set<string>>();

  constructor(occurrences: readonly Occurrence[], hazards: readonly Hazard[]) {
    this.hazardOfKind = new Map(
      hazards.flatMap((hazard) => hazard.signs.occurrences.map((kind) => [kind, hazard] as const)),
    );
    // Causes precede effects, so one pass in order of ids sees every parent before its child.
    for (const occurrence of occurrences) this.above.push(this.place(occurrence));
  }

  causesBehind(ids: readonly OccurrenceId[]): readonly string[] {
    return union(ids.map((id) => this.above[id - 1] ?? []));
  }

  /**
   * Where the chains end: the hazards that no other hazard lies behind. What set them off (a command,
   * a reboot) stands in their `because`. Where no hazard is on the way, the beginnings themselves.
   */
  rootsOf(causes: readonly string[]): readonly string[] {
    const all = this.ancestry(causes);
    const hazards = [...all].filter((cause) => this.isHazard(cause));
    const candidates = hazards.length > 0 ? hazards : [...all];
    const roots = candidates.filter((cause) => {
      const behind = this.ancestry(this.parents.get(cause) ?? []);
      behind.delete(cause);
      return candidates.every((other) => !behind.has(other));
    });
    // Causes that keep each other up have no first one; then all of them are told.
    return (roots.length > 0 ? roots : candidates).toSorted();
  }

  /** Every cause on a way from a failure to a root, in a stable order. */
  named(roots: readonly string[], observed: readonly ObservedFailure[]): readonly RehearsalCause[] {
    const seen = observed.flatMap((failure) => this.causesBehind(failure.because));
    return [...this.ancestry([...roots, ...seen])].toSorted().map((id) => this.describe(id));
  }

  /** The causes and everything behind them. */
  private ancestry(causes: Iterable<string>): Set<string> {
    const found = new Set<string>();
    const open = [...causes];
    for (let cause = open.pop(); cause !== undefined; cause = open.pop()) {
      if (found.has(cause)) continue;
      found.add(cause);
      open.push(...(this.parents.get(cause) ?? []));
    }
    return found;
  }

  private isHazard(cause: string): boolean {
    return this.hazardOfKind.has(this.members.get(cause)?.[0]?.kind ?? '');
  }

  private place(occurrence: Occurrence): readonly string[] {
    const inherited = union(occurrence.because.map((id) => this.above[id - 1] ?? []));
    const isRoot = occurrence.because.length === 0;
    if (!this.hazardOfKind.has(occurrence.kind) && !isRoot) return inherited;
    const id =
      occurrence.node === undefined ? occurrence.kind : `${occurrence.kind}@${occurrence.node}`;
    const members = this.members.get(id);
    if (members === undefined) this.members.set(id, [occurrence]);
    else members.push(occurrence);
    const parents = this.parents.get(id) ?? new Set<string>();
    for (const parent of inherited) if (parent !== id) parents.add(parent);
    this.parents.set(id, parents);
    return [id];
  }

  private describe(id: string): RehearsalCause {
    const members = this.members.get(id) ?? [];
    const first = members[0];
    const hazard = first === undefined ? undefined : this.hazardOfKind.get(first.kind);
    return {
      id,
      covers: hazard?.covers ?? [],
      title: hazard?.title ?? first?.message ?? id,
      ...(first?.node === undefined ? {} : { node: first.node }),
      because: [...(this.parents.get(id) ?? [])].toSorted(),
      evidence: members.slice(0, EVIDENCE_MAX).map((member) => ({
        source: `twin, ${(member.at / 1000).toFixed(1)} s`,
        path: member.kind,
        value: member.message,
      })),
    };
  }
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  const [only] = lists;
  if (lists.length === 1 && only !== undefined) return only;
  const all = new Set<string>();
  for (const list of lists) for (const entry of list) if (all.size < CAUSES_MAX) all.add(entry);
  return [...all];
}
