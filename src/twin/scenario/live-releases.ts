/** A Cilium release that is installed already, as far as `helm get values` was given. */
import { renderCiliumChart } from '../../knowledge/cilium-chart/render.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import { valueOr } from '../../model/fact.ts';
import type { DaemonSetObject } from '../../model/kubernetes.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import type { HelmValues } from '../../ports/helm.ts';
import type { Releases } from '../ports/helm-port.ts';
import type { ObjectStore } from '../store/object-store.ts';

const NAMESPACE = 'kube-system';

export function liveReleases(
  store: ObjectStore,
  input: ClusterInput,
): { readonly releases: Releases; readonly assumptions: readonly Assumption[] } {
  const releases: Releases = new Map();
  const agents = store.list('DaemonSet').find(({ metadata }) => metadata.name === 'cilium');
  if (agents === undefined) return { releases, assumptions: [] };
  const live = input.helmValues.find(({ role }) => role === 'live');
  const { namespace = NAMESPACE, annotations } = agents.metadata;
  const release = annotations?.['meta.helm.sh/release-name'] ?? 'cilium';
  const version = valueOr(
    live?.chartVersion ?? { known: false, missing: 'chart version' },
    versionOf(agents),
  );
  // Values are a map by what Helm prints.
  const values = (live?.tree.value ?? {}) as HelmValues;
  const rendered = renderCiliumChart({ version, values, namespace, release });
  const objects = rendered.ok ? rendered.objects : [];
  releases.set(`${namespace}/${release}`, [
    {
      revision: 1,
      status: 'deployed',
      chartVersion: version,
      values,
      objects,
      at: 0,
      description: 'Install complete',
    },
  ]);
  return {
    releases,
    assumptions: live === undefined ? [valuesAssumed(release, namespace, version)] : [],
  };
}

function versionOf(agents: DaemonSetObject): string {
  const image =
    agents.spec.template.spec.containers.find(({ name }) => name === 'cilium-agent')?.image ?? '';
  return /:v?(\d+\.\d+\.\d+[^@]*)/.exec(image)?.[1] ?? '1.16.5';
}

function valuesAssumed(release: string, namespace: string, version: string): Assumption {
  return {
    about: `values of Helm release ${namespace}/${release}`,
    assumed: `chart ${version} with its defaults`,
    because: 'Cilium runs, and the values of its release were not given',
    command: `helm -n ${namespace} get values ${release} -o yaml`,
  };
}
