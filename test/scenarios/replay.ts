/**
 * The post-mortem's cluster and commands, with changes: what a scenario test rehearses. Goal of all
 * tests here: outcomes follow from inputs, by the mechanisms that knowledge names, and change with them.
 */
import { present } from '../../src/base/assert.ts';
import { rehearse, type Rehearsed } from '../../src/cli/rehearsal-session.ts';
import { readInput } from '../../src/intake/read-input.ts';
import type { Runbook, RunbookStep } from '../../src/model/runbook.ts';
import type { Occurrence } from '../../src/model/occurrence.ts';
import type { ClusterSpec } from '../../src/twin/scenario/cluster-spec.ts';
import { expandCluster } from '../../src/twin/scenario/expand-cluster.ts';
import { postMortemSpec, scenario } from '../support/post-mortem-input.ts';

export function postMortemRunbook(): Runbook {
  const input = readInput([{ path: 'as-it-was-done.yaml', text: scenario('as-it-was-done.yaml') }]);
  return present(input.runbooks[0], 'the runbook').runbook;
}

export interface Replay extends Rehearsed {
  of(kind: string): readonly Occurrence[];
}

export interface Changes {
  readonly spec?: (spec: ClusterSpec) => ClusterSpec;
  readonly steps?: (steps: readonly RunbookStep[]) => readonly RunbookStep[];
  readonly seed?: number;
}

export async function replay({ spec, steps, seed = 1 }: Changes = {}): Promise<Replay> {
  const cluster = postMortemSpec();
  const runbook = postMortemRunbook();
  const rehearsed = await rehearse({
    input: expandCluster(spec?.(cluster) ?? cluster),
    runbook: { ...runbook, steps: steps?.(runbook.steps) ?? runbook.steps },
    seed,
  });
  return { ...rehearsed, of: (kind) => rehearsed.occurrences.filter((each) => each.kind === kind) };
}

// ---------------------------------------------------------------- changes of the runbook

/** Steps up to the first whose title begins so, that one left out. */
export function before(title: string): (steps: readonly RunbookStep[]) => readonly RunbookStep[] {
  return (steps) => {
    const at = steps.findIndex((step) => step.title?.startsWith(title) === true);
    if (at < 0) throw new Error(`no step is titled ${title}`);
    return steps.slice(0, at);
  };
}

export function without(
  steps: readonly RunbookStep[],
  ...titles: readonly string[]
): readonly RunbookStep[] {
  for (const title of titles) {
    if (!steps.some((step) => step.title?.startsWith(title) === true))
      throw new Error(`no step is titled ${title}`);
  }
  return steps.filter((step) => !titles.some((title) => step.title?.startsWith(title) === true));
}

/** Puts steps in front of the first whose title begins so. */
export function insertBefore(
  steps: readonly RunbookStep[],
  title: string,
  ...added: readonly RunbookStep[]
): readonly RunbookStep[] {
  const head = before(title)(steps);
  return [...head, ...added, ...steps.slice(head.length)];
}

/** Changes the values of every Helm command. */
export function withValues(
  steps: readonly RunbookStep[],
  change: Readonly<Record<string, unknown>>,
): readonly RunbookStep[] {
  return steps.map((step) =>
    'helm' in step && 'values' in step.helm
      ? { ...step, helm: { ...step.helm, values: { ...step.helm.values, ...change } } }
      : step,
  );
}

export function wait(seconds: number): RunbookStep {
  return { wait: { seconds } };
}

export function remove(kind: string, namespace: string, name: string): RunbookStep {
  return { kubectl: { action: 'delete', kind, namespace, name } };
}

export function reboot(...nodes: readonly string[]): RunbookStep {
  return { talos: { action: 'reboot', nodes, wait: true } };
}

// ---------------------------------------------------------------- what is seen

const SUBNET_ENV = /subnet\.env: no such file or directory/;

/** Pods whose sandbox fails for want of Flannel's state, by node. */
export function stuckOnSubnetEnv({ rehearsal }: Replay): ReadonlyMap<string, number> {
  const byNode = new Map<string, number>();
  for (const { subject, message, until } of rehearsal.failures) {
    if (subject.kind !== 'Pod' || until !== undefined || !SUBNET_ENV.test(message)) continue;
    const node = subject.node ?? '';
    byNode.set(node, (byNode.get(node) ?? 0) + 1);
  }
  return byNode;
}

export const REBOOTED = [
  'talos-cp-01',
  'talos-cp-02',
  'talos-cp-03',
  'talos-wrk-03',
  'talos-wrk-04',
];
