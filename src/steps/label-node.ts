/** Sets labels and annotations of a node; null removes. */
import type { StepModule } from './step-module.ts';
import { fails, HOLDS } from './step-module.ts';
import { getNode } from './pods.ts';

export const labelNode: StepModule<'label-node'> = {
  async observe({ ports }, { node, labels, annotations = {} }) {
    const found = await getNode(ports.kubernetes, node);
    if (found === undefined) return { blocked: `there is no node ${node}` };
    const { metadata } = found;
    return has(metadata.labels, labels) && has(metadata.annotations, annotations) ? 'done' : 'todo';
  },

  async act({ ports }, { node, labels, annotations }) {
    const metadata = annotations === undefined ? { labels } : { labels, annotations };
    await ports.kubernetes.patch({ apiVersion: 'v1', kind: 'Node', name: node }, { metadata });
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

function has(
  present: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string | null>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => (present?.[key] ?? null) === value);
}
