/**
 * Sets labels and annotations of a node; null removes. With a label goes, in the same write, which plan
 * set it and which agents ran then: a run that was killed right after it knows that it got this far,
 * and which agent has not read the label yet.
 */
import type { NodeObject } from '../model/kubernetes.ts';
import { agentsOn, getNode } from './pods.ts';
import { type ActionOf, fails, HOLDS, type StepContext, type StepModule } from './step-module.ts';

/** Annotation of a node: the id of the plan that labelled it. */
export const PLAN_MARK = 'regauge.dev/plan';
/** Annotation of a node: uids of the agents that started before the label was set. */
const AGENTS_MARK = 'regauge.dev/agents-before';

type Change = ActionOf<'label-node'>;

export const labelNode: StepModule<'label-node'> = {
  async observe({ ports }, action) {
    const found = await getNode(ports.kubernetes, action.node);
    if (found === undefined) return { blocked: `there is no node ${action.node}` };
    const { labels, annotations } = found.metadata;
    const marks = sets(action) ? {} : NO_MARKS;
    const isDone =
      has(labels, action.labels) && has(annotations, { ...action.annotations, ...marks });
    return isDone ? 'done' : 'todo';
  },

  async act(context, action) {
    const { node, labels } = action;
    const marks = sets(action) ? await marksNow(context, node) : NO_MARKS;
    const metadata = { labels, annotations: { ...action.annotations, ...marks } };
    await context.ports.kubernetes.patch(
      { apiVersion: 'v1', kind: 'Node', name: node },
      { metadata },
    );
  },

  async verify(context, action) {
    const seen = await labelNode.observe(context, action);
    return seen === 'done' ? HOLDS : fails(`the labels of ${action.node} are not as set`);
  },

  undo: ({ node, labels }) => ({
    kind: 'label-node',
    node,
    labels: Object.fromEntries(Object.keys(labels).map((key) => [key, null])),
  }),
};

/** Uids of the agents that have not read the node's label; undefined where nobody noted them. */
export function agentsBeforeLabel(node: NodeObject | undefined): ReadonlySet<string> | undefined {
  const mark = node?.metadata.annotations?.[AGENTS_MARK];
  return mark === undefined ? undefined : new Set(mark.split(','));
}

/** What goes with the label when it goes. */
export const NO_MARKS: Readonly<Record<string, null>> = { [PLAN_MARK]: null, [AGENTS_MARK]: null };

function sets({ labels }: Change): boolean {
  return Object.values(labels).some((value) => value !== null);
}

async function marksNow(
  { ports, plan }: StepContext,
  node: string,
): Promise<Readonly<Record<string, string>>> {
  const agents = await agentsOn(ports.kubernetes, plan, node);
  const uids = agents.map(({ metadata }) => metadata.uid ?? '');
  return { [PLAN_MARK]: plan.id, [AGENTS_MARK]: uids.join(',') };
}

function has(
  present: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string | null>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => (present?.[key] ?? null) === value);
}
