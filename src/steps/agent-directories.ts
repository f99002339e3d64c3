/**
 * Whether the agents write where the release says: a reconciler that puts their DaemonSet back (FM-35,
 * FM-36) leaves Helm believing that its last revision is deployed. Only the directories of the host are
 * compared: of other fields an API server may make something else than was written.
 */
import { RegaugeError } from '../base/errors.ts';
import type { DaemonSetObject } from '../model/kubernetes.ts';
import type { Ports } from '../ports/index.ts';

const AGENTS = 'cilium';

/** False too where there are no agents, or no manifest says how they should be. */
export async function agentsWriteElsewhere(
  { helm, kubernetes }: Pick<Ports, 'helm' | 'kubernetes'>,
  release: string,
  namespace: string,
): Promise<boolean> {
  const made = (await manifestOf(helm, release, namespace)).find(
    (object): object is DaemonSetObject =>
      object.kind === 'DaemonSet' && object.metadata.name === AGENTS,
  );
  const { apiVersion = 'apps/v1', kind = 'DaemonSet' } = made ?? {};
  const live = await kubernetes.get<DaemonSetObject>({ apiVersion, kind, namespace, name: AGENTS });
  if (made === undefined || live === undefined) return false;
  const now = directoriesOf(live);
  return [...directoriesOf(made)].some(([volume, path]) => now.get(volume) !== path);
}

async function manifestOf(helm: Ports['helm'], release: string, namespace: string) {
  try {
    return await helm.manifest(release, namespace);
  } catch (error) {
    if (error instanceof RegaugeError && error.code === 'not-found') return [];
    throw error;
  }
}

/** By volume. */
function directoriesOf({ spec }: DaemonSetObject): ReadonlyMap<string, string> {
  return new Map(
    (spec.template.spec.volumes ?? []).flatMap(({ name, hostPath }) =>
      hostPath === undefined ? [] : [[name, hostPath.path] as const],
    ),
  );
}
