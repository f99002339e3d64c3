/** Where the pods behind a Service run, which decides whether the control plane can reach them. */
import type { ClusterFacts } from '../model/facts.ts';
import { matchesLabels } from '../model/kubernetes.ts';
import { templates } from './objects.ts';

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** `pod` or `host` network; undefined when the Service or its pods were not read. */
export function backendNetwork(
  facts: ClusterFacts,
  { namespace, name }: ServiceName,
): 'pod' | 'host' | undefined {
  const service = facts.workloads.services.find(
    ({ value }) => value.metadata.namespace === namespace && value.metadata.name === name,
  );
  const matchLabels = service?.value.spec.selector;
  if (matchLabels === undefined) return undefined;
  const backends = templates(facts).filter(
    ({ owner, labels }) =>
      owner.value.metadata.namespace === namespace && matchesLabels({ matchLabels }, labels),
  );
  if (backends.length === 0) return undefined;
  return backends.every(({ spec }) => spec.hostNetwork === true) ? 'host' : 'pod';
}
