/** Causes and failures merged over nodes, for the tree on the terminal and the graph on the page. */
import { groupBy } from '../base/group-by.ts';
import type { Rehearsal } from '../model/rehearsal.ts';

export interface CauseGroup {
  /** The cause's id without its node. */
  readonly id: string;
  readonly title: string;
  readonly covers: readonly string[];
  readonly nodes: readonly string[];
  /** What the first of them said, in the software's own words. */
  readonly detail: string | undefined;
  readonly because: readonly string[];
}

export interface SymptomGroup {
  readonly symptom: string;
  readonly count: number;
  readonly example: string;
  readonly nodes: readonly string[];
  readonly because: readonly string[];
}

function groupOf(causeId: string): string {
  const at = causeId.indexOf('@');
  return at === -1 ? causeId : causeId.slice(0, at);
}

export function groupCauses({ causes }: Rehearsal): readonly CauseGroup[] {
  return [...groupBy(causes, ({ id }) => groupOf(id))].map(([id, members]) => {
    const first = members[0];
    const title = first?.title ?? id;
    return {
      id,
      title: members.length > 1 ? withoutNode(title, first?.node) : title,
      covers: first?.covers ?? [],
      nodes: unique(members.flatMap(({ node }) => (node === undefined ? [] : [node]))),
      detail: first?.evidence[0]?.value === undefined ? undefined : String(first.evidence[0].value),
      because: unique(members.flatMap(({ because }) => because.map(groupOf))).filter(
        (parent) => parent !== id,
      ),
    };
  });
}

export function groupSymptoms({ failures }: Rehearsal): readonly SymptomGroup[] {
  return [...groupBy(failures, ({ symptom }) => symptom)]
    .map(([symptom, members]) => ({
      symptom: wordsFor(symptom),
      count: members.length,
      example: members[0]?.message ?? '',
      nodes: unique(
        members.flatMap(({ subject }) => (subject.node === undefined ? [] : [subject.node])),
      ),
      because: unique(members.flatMap(({ because }) => because.map(groupOf))),
    }))
    .toSorted((left, right) => right.count - left.count);
}

/** What the first of several said is true of them all, but for the node it names. */
function withoutNode(title: string, node: string | undefined): string {
  return node === undefined ? title : title.replaceAll(node, 'a node');
}

/** What users would say they see. */
const SYMPTOM_WORDS: Readonly<Record<string, string>> = {
  'pod-container-creating': 'pod stuck in ContainerCreating',
  'pod-terminating': 'pod stuck in Terminating',
  'pod-unschedulable': 'pod that no node takes',
  'pod-not-ready': 'pod that runs and is not ready',
  'pod-not-replaced': 'pod that was not replaced',
  'pod-outage': 'pod away for long',
  'path-lost': 'path that lost packets',
  'dns-internal-failed': 'DNS failure, names of the cluster',
  'dns-external-failed': 'DNS failure, names outside',
  'volume-not-attached': 'volume not attached',
  unauthorized: 'client answered 401 Unauthorized',
  'policy-not-enforced': 'policy not enforced',
};

function wordsFor(symptom: string): string {
  return SYMPTOM_WORDS[symptom] ?? symptom;
}

function unique(items: readonly string[]): readonly string[] {
  return [...new Set(items)].toSorted();
}
