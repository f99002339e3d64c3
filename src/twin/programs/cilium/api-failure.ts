/**
 * An agent gets no answer from the API server: which mechanism kept it from one. Its token was
 * refused; or the ClusterIP it was left with is translated by nobody on its node; or it was sent to a
 * local port on which no KubePrism listens; or the API server itself does not answer.
 */
import type { OccurrenceId } from '../../../model/occurrence.ts';
import type { OccurrenceKind } from '../../../model/occurrence-kind.ts';
import { podReference } from '../../kubelet/kubelet-context.ts';
import type { ApiVerdict, ProcessHost } from '../../world.ts';
import { apiEndpoint, isLocal } from '../api-access.ts';

export type ApiFailure = ApiVerdict & { readonly ok: false };

/** Records the failure; who calls it goes on for its own reasons. */
export function tellApiFailure(host: ProcessHost, failure: ApiFailure): OccurrenceId {
  const { kernel } = host.world;
  host.log(failure.message);
  return kernel.because(kernel.causes, () =>
    kernel.occur(kindOf(host, failure), {
      node: host.node.name,
      subject: podReference(host.pod),
      message: failure.message,
      because: failure.because,
    }),
  );
}

function kindOf(host: ProcessHost, { failure }: ApiFailure): OccurrenceKind {
  const isAbsent = failure === 'unauthorized' || !host.world.api.healthy();
  if (isAbsent) return 'cilium-agent.api-lost';
  const endpoint = apiEndpoint(host);
  if (endpoint === undefined) return 'cilium-agent.service-address-untranslated';
  return isLocal(endpoint) ? 'cilium-agent.kube-prism-refused' : 'cilium-agent.api-lost';
}
