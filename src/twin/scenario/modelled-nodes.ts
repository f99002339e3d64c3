/**
 * The part of what was read that a twin models: Linux nodes and what runs on them. A Windows node has
 * another network stack, and no Cilium agent runs on one; it is left out with its pods, and said so.
 */
import type { ClusterInput } from '../../model/cluster-input.ts';
import type { KubeObject, NodeObject, PodObject } from '../../model/kubernetes.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import { isNode } from './cluster-ranges.ts';

export function modelledPart(input: ClusterInput): {
  readonly input: ClusterInput;
  readonly assumptions: readonly Assumption[];
} {
  const foreign = new Set(
    input.objects.flatMap(({ object }) =>
      isNode(object) && runsWindows(object) ? [object.metadata.name] : [],
    ),
  );
  if (foreign.size === 0) return { input, assumptions: [] };
  const objects = input.objects.filter(({ object }) => !foreign.has(nodeOf(object)));
  return {
    input: { ...input, objects },
    assumptions: [
      {
        about: `Windows ${foreign.size === 1 ? 'node' : 'nodes'} ${[...foreign].join(', ')}`,
        assumed: 'not there, nor are their pods',
        because: 'the twin models Linux nodes only',
        command: 'kubectl get nodes -l kubernetes.io/os=windows',
      },
    ],
  };
}

function runsWindows({ metadata, status }: NodeObject): boolean {
  const os = status.nodeInfo?.operatingSystem ?? metadata.labels?.['kubernetes.io/os'];
  return os === 'windows';
}

/** The node that an object is or, for a pod, runs on. */
function nodeOf(object: KubeObject): string {
  if (isNode(object)) return object.metadata.name;
  // The kind says so.
  return object.kind === 'Pod' ? ((object as PodObject).spec.nodeName ?? '') : '';
}
