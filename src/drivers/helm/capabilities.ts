/** What a cluster is able to, from its discovery: what Helm would ask it, and `helm template` does not. */
import type { KubernetesReads } from '../../ports/index.ts';

/** As Helm's templates see them. */
export interface Capabilities {
  /** `v1.33.1+k3s1`. */
  readonly kubeVersion: string;
  /** Group versions, and kinds in them: `apps/v1`, `apps/v1/DaemonSet`. */
  readonly apiVersions: readonly string[];
}

export async function clusterCapabilities(
  kubernetes: Pick<KubernetesReads, 'version' | 'resources'>,
): Promise<Capabilities> {
  const { gitVersion } = await kubernetes.version();
  const { resources } = await kubernetes.resources();
  const versions = resources.flatMap(({ apiVersion, kind }) => [
    apiVersion,
    `${apiVersion}/${kind}`,
  ]);
  return { kubeVersion: gitVersion, apiVersions: [...new Set(versions)].toSorted() };
}
