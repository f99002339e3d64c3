/**
 * Events with resourceVersions. The twin keeps them beside its store, so they are counted on their
 * own, as in a cluster that keeps its events in an etcd of their own (`--etcd-servers-overrides`).
 */
import type { EventObject, KubeObject } from '../../../../model/kubernetes.ts';
import { eventRecorderOf } from '../../../kubelet/event-recorder.ts';
import type { World } from '../../../world.ts';
import type { KindHistory } from '../../../store/change-history.ts';

/** Of whatever was there before anybody asked. */
const FIRST_VERSION = 1;

export class EventHistory {
  private readonly world: World;
  private readonly versions = new Map<string, number>();
  private version = FIRST_VERSION;

  constructor(world: World, history: KindHistory) {
    this.world = world;
    eventRecorderOf(world).listen((event, isNew) => {
      this.version += 1;
      this.versions.set(event.metadata.uid ?? '', this.version);
      const object = this.versioned(event);
      history.add(
        isNew
          ? { version: this.version, type: 'added', object, old: undefined }
          : { version: this.version, type: 'modified', object, old: object },
      );
    });
  }

  get resourceVersion(): number {
    return this.version;
  }

  list(namespace?: string): readonly KubeObject[] {
    return eventRecorderOf(this.world)
      .list(namespace)
      .map((event) => this.versioned(event));
  }

  private versioned(event: EventObject): EventObject {
    const version = this.versions.get(event.metadata.uid ?? '') ?? FIRST_VERSION;
    return { ...event, metadata: { ...event.metadata, resourceVersion: String(version) } };
  }
}
