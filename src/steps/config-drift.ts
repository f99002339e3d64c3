/** What an agent would read if it started now, against what the release wrote for it. */
import type { ConfigMapObject, KubeObject } from '../model/kubernetes.ts';
import type { Ports } from '../ports/index.ts';

export interface ReleaseName {
  readonly release: string;
  readonly namespace: string;
}

export interface ConfigDrift {
  /** Of the object as it was found: the same change is known again. */
  readonly version: string;
  readonly inWords: string;
}

const CONFIG = 'cilium-config';

/** Undefined when it is as it was written, or the release writes none; `not-found` without a release. */
export async function configDrift(
  { release, namespace }: ReleaseName,
  { helm, kubernetes }: Ports,
): Promise<ConfigDrift | undefined> {
  const rendered = await helm.manifest(release, namespace);
  const wanted = rendered.find(isConfig);
  if (wanted === undefined) return undefined;
  const live = await kubernetes.get<ConfigMapObject>({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace,
    name: CONFIG,
  });
  const place = `ConfigMap ${namespace}/${CONFIG}`;
  if (live === undefined) return { version: 'gone', inWords: `${place} is gone` };
  const keys = keysThatDiffer(wanted, live);
  if (keys.length === 0) return undefined;
  const [first = '', ...others] = keys;
  const said = `${place} was changed since the release wrote it: ${first} is ${inWords(live, first)} and was ${inWords(wanted, first)}`;
  return {
    version: live.metadata.resourceVersion ?? '',
    inWords: others.length === 0 ? said : `${said} (and ${others.length} more)`,
  };
}

function isConfig(object: KubeObject): object is ConfigMapObject {
  return object.kind === 'ConfigMap' && object.metadata.name === CONFIG;
}

/** Keys that others add are theirs. */
function keysThatDiffer(wanted: ConfigMapObject, live: ConfigMapObject): readonly string[] {
  return Object.keys(wanted.data ?? {}).filter((key) => wanted.data?.[key] !== live.data?.[key]);
}

function inWords({ data }: ConfigMapObject, key: string): string {
  const value = data?.[key];
  return value === undefined ? 'absent' : JSON.stringify(value);
}
