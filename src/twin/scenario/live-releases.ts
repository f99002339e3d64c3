/** A Cilium release that is installed already, as far as `helm get values` was given. */
import { renderCiliumChart } from '../../knowledge/cilium-chart/render.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import { valueOr } from '../../model/fact.ts';
import type { DaemonSetObject } from '../../model/kubernetes.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import type { HelmValues } from '../../ports/helm.ts';
import { releaseKey, type Releases, type Revision } from '../ports/helm/helm-records.ts';
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
  const left = leftHalfWay(store, release, namespace);
  const entry = { chartVersion: version, values, objects, at: 0 };
  const revision = left === undefined ? 1 : Math.max(1, left.revision - 1);
  releases.set(releaseKey(release, namespace), [
    { ...entry, revision, status: 'deployed', description: 'Install complete' },
    // What it would have installed is not known; what is there is what was deployed, as far as told.
    ...(left === undefined ? [] : [{ ...entry, ...left, description: 'Preparing upgrade' }]),
  ]);
  return {
    releases,
    assumptions: live === undefined ? [valuesAssumed(release, namespace, version)] : [],
  };
}

type Left = Pick<Revision, 'revision' | 'status'>;

/** The newest record that Helm keeps of the release, when it says that a run did not end. */
function leftHalfWay(store: ObjectStore, release: string, namespace: string): Left | undefined {
  const [newest] = [...store.list('Secret'), ...store.list('ConfigMap')]
    .filter(({ metadata }) => metadata.namespace === namespace)
    .map(({ metadata }) => metadata.labels ?? {})
    .filter(({ owner, name }) => owner === 'helm' && name === release)
    .map(({ version, status }) => ({ revision: Number(version), status }))
    .toSorted((left, right) => right.revision - left.revision);
  const { status } = newest ?? {};
  if (newest === undefined || !isLeft(status)) return undefined;
  return { revision: newest.revision, status };
}

function isLeft(status: string | undefined): status is 'pending-upgrade' | 'pending-rollback' {
  return status === 'pending-upgrade' || status === 'pending-rollback';
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
