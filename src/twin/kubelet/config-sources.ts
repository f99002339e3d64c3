/**
 * The ConfigMaps and Secrets that pods refer to, as a kubelet fetches them. A snapshot often lacks
 * them, so one that was not read is not taken to be missing: only one that went away while the twin
 * ran, or whose namespace was read with all it holds of the kind.
 */
import type {
  Container,
  EnvVariable,
  OptionalReference,
  PodObject,
  Volume,
} from '../../model/kubernetes.ts';
import type { OccurrenceId } from '../../model/occurrence.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { ObjectStore } from '../store/object-store.ts';

const KINDS = ['ConfigMap', 'Secret'] as const;
type SourceKind = (typeof KINDS)[number];

/** What a pod cannot have, in the kubelet's words. */
export interface MissingSource {
  readonly message: string;
  readonly because: readonly OccurrenceId[];
}

export interface MissingVolume extends MissingSource {
  /** The volume's name in the pod. */
  readonly volume: string;
}

interface Parts {
  readonly store: ObjectStore;
  readonly kernel: Kernel;
}

export class ConfigSources {
  private readonly store: ObjectStore;
  /** `ConfigMap kube-system`: all of the kind that the namespace holds was read. */
  private readonly complete = new Set<string>();
  private readonly removed = new Map<string, readonly OccurrenceId[]>();

  constructor({ store, kernel }: Parts) {
    this.store = store;
    for (const kind of KINDS) {
      store.watch(kind, ({ type, object: { metadata } }) => {
        const key = keyOf(kind, metadata.namespace, metadata.name);
        if (type === 'deleted') this.removed.set(key, kernel.causes);
        else this.removed.delete(key);
      });
    }
  }

  /**
   * These kinds were listed. A namespace that shows none of a kind may have been left out of the list
   * (each has a `kube-root-ca.crt`), so it stays unknown.
   */
  listed(kinds: readonly string[]): void {
    for (const kind of KINDS) {
      if (!kinds.includes(kind)) continue;
      for (const { metadata } of this.store.list(kind)) {
        this.complete.add(`${kind} ${metadata.namespace ?? ''}`);
      }
    }
  }

  /**
   * Volumes whose contents are not there (KK pkg/volume/configmap, secret, projected: `SetUpAt`).
   */
  missingVolumes(pod: PodObject): readonly MissingVolume[] {
    if (pod.spec.volumes === undefined) return [];
    const missing: MissingVolume[] = [];
    for (const volume of pod.spec.volumes) {
      const found = referencesOf(volume).flatMap(
        ([kind, reference]) => this.missing(kind, pod, reference) ?? [],
      );
      const [first] = found;
      if (first === undefined) continue;
      const texts = found.map(({ message }) => message);
      const error = texts.length === 1 ? first.message : `[${texts.join(', ')}]`;
      missing.push({
        volume: volume.name,
        message: `MountVolume.SetUp failed for volume "${volume.name}" : ${error}`,
        because: found.flatMap(({ because }) => because),
      });
    }
    return missing;
  }

  /** Why the container's environment cannot be made (KK kubelet_pods.go makeEnvironmentVariables). */
  missingEnvironment(pod: PodObject, container: Container): MissingSource | undefined {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      const missing =
        this.missing('ConfigMap', pod, configMapRef) ?? this.missing('Secret', pod, secretRef);
      if (missing !== undefined) return missing;
    }
    for (const variable of container.env ?? []) {
      const missing = variable.valueFrom && this.missingKey(pod, variable.valueFrom);
      if (missing !== undefined) return missing;
    }
    return undefined;
  }

  private missingKey(
    pod: PodObject,
    { configMapKeyRef, secretKeyRef }: NonNullable<EnvVariable['valueFrom']>,
  ): MissingSource | undefined {
    const missing =
      this.missing('ConfigMap', pod, configMapKeyRef) ?? this.missing('Secret', pod, secretKeyRef);
    if (missing !== undefined || configMapKeyRef?.name === undefined) return missing;
    if (configMapKeyRef.optional === true) return undefined;
    const { name, key } = configMapKeyRef;
    const { namespace = 'default' } = pod.metadata;
    const found = this.store.get('ConfigMap', namespace, name);
    // Without `data` it was not read, or is empty; a Secret's is never read.
    if (found?.data === undefined || Object.hasOwn(found.data, key)) return undefined;
    const message = `couldn't find key ${key} in ConfigMap ${namespace}/${name}`;
    return { message, because: this.store.causesOf(found) };
  }

  private missing(
    kind: SourceKind,
    { metadata: { namespace = 'default' } }: PodObject,
    reference: OptionalReference | undefined,
  ): MissingSource | undefined {
    if (reference?.name === undefined || reference.optional === true) return undefined;
    const { name } = reference;
    if (this.store.get(kind, namespace, name) !== undefined) return undefined;
    const because = this.removed.get(keyOf(kind, namespace, name));
    if (because === undefined && !this.complete.has(`${kind} ${namespace}`)) return undefined;
    return { message: `${kind.toLowerCase()} "${name}" not found`, because: because ?? [] };
  }
}

function keyOf(kind: SourceKind, namespace: string | undefined, name: string): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}

function referencesOf({ configMap, secret, projected }: Volume): [SourceKind, OptionalReference][] {
  const references: [SourceKind, OptionalReference][] = [];
  if (configMap !== undefined) references.push(['ConfigMap', configMap]);
  if (secret?.secretName !== undefined) {
    references.push(['Secret', { ...secret, name: secret.secretName }]);
  }
  for (const source of projected?.sources ?? []) {
    if (source.configMap !== undefined) references.push(['ConfigMap', source.configMap]);
    if (source.secret !== undefined) references.push(['Secret', source.secret]);
  }
  return references;
}

const registries = new WeakMap<ObjectStore, ConfigSources>();

/** The one of the cluster this store belongs to. */
export function configSourcesOf(parts: Parts): ConfigSources {
  let found = registries.get(parts.store);
  if (found === undefined) registries.set(parts.store, (found = new ConfigSources(parts)));
  return found;
}
