/**
 * The templates that a DaemonSet or a StatefulSet has had, as ControllerRevisions: what `kubectl
 * rollout history` shows, and `undo` goes back to (KK pkg/controller/history/controller_history.go).
 */
import {
  type ControllerRevisionObject,
  controllerOf,
  type DaemonSetObject,
  type StatefulSetObject,
} from '../../model/kubernetes.ts';
import type { World } from '../world.ts';

/** On pods: the revision whose template they have. */
export const REVISION_HASH = 'controller-revision-hash';

/** Old ones that are kept where a set does not say otherwise (KK pkg/apis/apps/v1/defaults.go). */
const HISTORY_LIMIT = 10;

type Owner = DaemonSetObject | StatefulSetObject;

export class ControllerRevisions {
  private readonly world: World;
  /** The hash that was recorded last, by the owner's uid. */
  private readonly recorded = new Map<string, string>();

  constructor(world: World) {
    this.world = world;
  }

  /** The owner's template goes by this hash: a new revision, or an old one that is the newest again. */
  record(owner: Owner, hash: string): void {
    const uid = owner.metadata.uid ?? '';
    if (this.recorded.get(uid) === hash) return;
    this.recorded.set(uid, hash);
    const own = this.world.store
      .list('ControllerRevision', owner.metadata.namespace)
      .filter((revision) => controllerOf(revision)?.uid === uid)
      .toSorted((left, right) => left.revision - right.revision);
    const newest = own.at(-1);
    const number = 1 + (newest?.revision ?? 0);
    const same = own.find(({ metadata }) => metadata.labels?.[REVISION_HASH] === hash);
    if (same === undefined) this.create(owner, hash, number);
    else if (same !== newest) this.renumber(same, number);
    const old = own.filter((revision) => revision !== same);
    this.forget(owner, old.slice(0, -(owner.spec.revisionHistoryLimit ?? HISTORY_LIMIT)));
  }

  private create(owner: Owner, hash: string, revision: number): void {
    const { apiVersion, kind, metadata, spec } = owner;
    const { name, namespace = 'default', uid = '' } = metadata;
    const whole = hash.startsWith(`${name}-`) ? hash : `${name}-${hash}`;
    this.world.store.create<ControllerRevisionObject>({
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: this.freeName(namespace, whole),
        namespace,
        labels: { ...spec.template.metadata?.labels, [REVISION_HASH]: hash },
        ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
      },
      // A patch, which `undo` sends as it is.
      data: { spec: { template: { ...spec.template, $patch: 'replace' } } },
      revision,
    });
  }

  /** Another set's that is still to be collected has the name: real ones count that into the hash. */
  private freeName(namespace: string, wanted: string): string {
    let name = wanted;
    for (let count = 1; this.isTaken(namespace, name); count += 1) name = `${wanted}-${count}`;
    return name;
  }

  private isTaken(namespace: string, name: string): boolean {
    return this.world.store.get('ControllerRevision', namespace, name) !== undefined;
  }

  private renumber({ metadata }: ControllerRevisionObject, revision: number): void {
    const { namespace, name } = metadata;
    this.world.store.update('ControllerRevision', namespace, name, (object) => ({
      ...object,
      revision,
    }));
  }

  /** Those that no pod is of. */
  private forget({ metadata }: Owner, revisions: readonly ControllerRevisionObject[]): void {
    if (revisions.length === 0) return;
    const live = new Set(
      this.world.store
        .podsOf(metadata.uid ?? '')
        .map((pod) => pod.metadata.labels?.[REVISION_HASH]),
    );
    for (const revision of revisions) {
      const { namespace, name, labels } = revision.metadata;
      if (live.has(labels?.[REVISION_HASH])) continue;
      this.world.store.delete('ControllerRevision', namespace, name);
    }
  }
}
