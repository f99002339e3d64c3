/**
 * The twin's machines as nodes of a real control plane: what the real API server holds is told to the
 * twin's kubelets and to what runs in their pods, and what these make of it goes back as a kubelet and
 * an agent would write it. The real server owns metadata and spec; the twin owns the status of nodes
 * and pods. Both sides are levels, not messages: whatever is lost on the way is made up for by the next.
 */
import { RegaugeError } from '../../../src/base/errors.ts';
import type { KubeObject, NodeObject, PodObject } from '../../../src/model/kubernetes.ts';
import { followObjects } from '../../../src/ports/follow-objects.ts';
import type { ClockPort, KubernetesPort } from '../../../src/ports/index.ts';
import type { TwinWorld } from '../../../src/twin/scenario/build-world.ts';
import type { Pace } from '../../../src/twin/wire/pace.ts';
import { asWritten } from '../install/real-cluster.ts';

/** What is told to the twin as the server has it. */
const TOLD: readonly (readonly [apiVersion: string, kind: string])[] = [
  ['v1', 'Namespace'],
  ['v1', 'ServiceAccount'],
  ['v1', 'ConfigMap'],
  ['v1', 'Service'],
  ['v1', 'Node'],
  ['apps/v1', 'DaemonSet'],
  ['v1', 'Pod'],
];
/** Kinds that programs in pods make, and the API version they have. */
const MADE_IN_PODS: readonly string[] = ['CiliumNode'];

export interface NodeBridgeOptions {
  readonly world: TwinWorld;
  readonly port: KubernetesPort;
  readonly clock: ClockPort;
  readonly pace: Pace;
  readonly onFailure: (error: unknown) => void;
}

export class NodeBridge {
  private readonly options: NodeBridgeOptions;
  private readonly ended = new AbortController();
  private readonly running = new Set<Promise<void>>();
  /** The newest version of each object that the server is known to have, by kind and key. */
  private readonly served = new Map<string, KubeObject>();
  /** Versions in the twin that came from the server: they need not go back. */
  private readonly told = new WeakSet<KubeObject>();
  /** Objects on their way to the server; `again` when they have changed meanwhile. */
  private readonly sending = new Map<string, { again: boolean }>();

  constructor(options: NodeBridgeOptions) {
    this.options = options;
    const { store } = options.world;
    for (const kind of ['Node', 'Pod', ...MADE_IN_PODS]) {
      store.watch(kind, ({ object }) => {
        if (!this.told.has(object)) this.send(object);
      });
    }
    for (const [apiVersion, kind] of TOLD) this.follow(apiVersion, kind);
  }

  /** A kind that a chart has just brought with it. */
  follow(apiVersion: string, kind: string): void {
    this.keep(this.tellAll(apiVersion, kind));
  }

  async end(): Promise<void> {
    this.ended.abort();
    await Promise.all(this.running);
  }

  private keep(work: Promise<void>): void {
    const kept = work
      .catch((error: unknown) => {
        if (!this.ended.signal.aborted) this.options.onFailure(error);
      })
      .finally(() => this.running.delete(kept));
    this.running.add(kept);
  }

  // ------------------------------------------------------------ from the server to the twin

  private async tellAll(apiVersion: string, kind: string): Promise<void> {
    const { port, clock, pace } = this.options;
    const { signal } = this.ended;
    for await (const event of followObjects(port, clock, apiVersion, kind, { signal })) {
      if (signal.aborted) return;
      if (event.type === 'synced') continue;
      pace.catchUp();
      if (event.type === 'deleted') this.forget(kind, event.namespace, event.name);
      else this.tell({ ...event.object, apiVersion, kind });
      pace.schedule();
    }
  }

  private forget(kind: string, namespace: string | undefined, name: string): void {
    this.served.delete(keyOf(kind, namespace, name));
    this.options.world.store.remove(kind, namespace, name);
  }

  private tell(object: KubeObject): void {
    const { store } = this.options.world;
    const { kind, metadata } = object;
    const key = keyOf(kind, metadata.namespace, metadata.name);
    // What the server answered to a write may be newer than what its watch has come to.
    if (isOlder(object, this.served.get(key))) return;
    this.served.set(key, object);
    // What is under way ends with the server's word on it.
    if (this.sending.has(key)) return;
    const present = store.get<string>(kind, metadata.namespace, metadata.name);
    if (present !== undefined && present.metadata.uid !== metadata.uid)
      store.remove(kind, metadata.namespace, metadata.name);
    if (present === undefined || present.metadata.uid !== metadata.uid) {
      this.told.add(store.create(object));
      return;
    }
    const kept = ownsStatus(kind) ? { ...object, status: statusOf(present) } : object;
    if (sameButVersion(present, kept)) return;
    const stored = store.update<string>(kind, metadata.namespace, metadata.name, () => kept);
    if (stored !== undefined) this.told.add(stored);
  }

  // ------------------------------------------------------------ from the twin to the server

  private send({ kind, metadata: { namespace, name, uid } }: KubeObject): void {
    const key = keyOf(kind, namespace, name);
    const under = this.sending.get(key);
    if (under !== undefined) {
      under.again = true;
      return;
    }
    const state = { again: false };
    this.sending.set(key, state);
    const work = async (): Promise<void> => {
      do {
        state.again = false;
        await this.sendOne(kind, namespace, name, uid);
      } while (state.again);
      this.sending.delete(key);
      const newest = this.served.get(key);
      if (newest !== undefined) this.tell(newest);
    };
    this.keep(work().finally(() => this.sending.delete(key)));
  }

  private async sendOne(
    kind: string,
    namespace: string | undefined,
    name: string,
    uid: string | undefined,
  ): Promise<void> {
    const { world, port } = this.options;
    const key = keyOf(kind, namespace, name);
    const object = world.store.get<string>(kind, namespace, name);
    try {
      const answer =
        object === undefined
          ? await this.sendEnd(kind, namespace, name, uid)
          : ownsStatus(kind)
            ? await this.sendStatus(object)
            : await port.apply(asWritten(object), { fieldManager: 'twin', force: true });
      if (answer !== undefined && !isOlder(answer, this.served.get(key)))
        this.served.set(key, { ...answer, apiVersion: answer.apiVersion, kind });
    } catch (error) {
      // Gone, or another of that name: its watch tells.
      const code = error instanceof RegaugeError ? error.code : undefined;
      if (code !== 'not-found' && code !== 'conflict') throw error;
    }
  }

  /** A kubelet that has ended a pod takes it out of the API; nodes leave otherwise. */
  private async sendEnd(
    kind: string,
    namespace: string | undefined,
    name: string,
    uid: string | undefined,
  ): Promise<undefined> {
    const key = keyOf(kind, namespace, name);
    if (kind === 'Node' || !this.served.has(key)) return;
    const apiVersion = this.served.get(key)?.apiVersion ?? 'v1';
    await this.options.port.delete(
      { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) },
      { gracePeriodSeconds: 0, ...(uid === undefined ? {} : { preconditions: { uid } }) },
    );
  }

  private async sendStatus(object: KubeObject): Promise<KubeObject> {
    const { port } = this.options;
    const { kind, metadata } = object;
    const address = {
      apiVersion: 'v1',
      kind,
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    };
    const served = this.served.get(keyOf(kind, metadata.namespace, metadata.name));
    const patch = kind === 'Node' ? nodePatch(object, served) : undefined;
    if (patch !== undefined) await port.patch(address, patch);
    return await port.patch<KubeObject>(
      address,
      { status: { ...statusOf(object) } },
      { type: 'strategic', subresource: 'status' },
    );
  }
}

/** Labels, annotations and taints that programs on the node have changed: only what differs. */
function nodePatch(
  object: KubeObject,
  served: KubeObject | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (served === undefined) return undefined;
  const [here, there] = [object as NodeObject, served as NodeObject]; // the kind says so
  const labels = differing(here.metadata.labels, there.metadata.labels);
  const annotations = differing(here.metadata.annotations, there.metadata.annotations);
  const taints = here.spec.taints ?? [];
  const sameTaints = JSON.stringify(taints) === JSON.stringify(there.spec.taints ?? []);
  if (labels === undefined && annotations === undefined && sameTaints) return undefined;
  return {
    metadata: {
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    ...(sameTaints ? {} : { spec: { taints } }),
  };
}

type Texts = Readonly<Record<string, string>>;

function differing(
  here: Texts = {},
  there: Texts = {},
): Readonly<Record<string, string | null>> | undefined {
  const keys = [...new Set([...Object.keys(here), ...Object.keys(there)])];
  const changed = keys.filter((key) => here[key] !== there[key]);
  if (changed.length === 0) return undefined;
  return Object.fromEntries(changed.map((key) => [key, here[key] ?? null]));
}

function ownsStatus(kind: string): boolean {
  return kind === 'Pod' || kind === 'Node';
}

function statusOf(object: KubeObject): PodObject['status'] | undefined {
  return (object as Partial<PodObject>).status;
}

/** etcd's revisions grow; of kinds that only the twin has made nothing is known yet. */
function isOlder(object: KubeObject, known: KubeObject | undefined): boolean {
  return Number(object.metadata.resourceVersion) < Number(known?.metadata.resourceVersion ?? 0);
}

function sameButVersion(left: KubeObject, right: KubeObject): boolean {
  return text(left) === text(right);
}

function text(object: KubeObject): string {
  const { resourceVersion: _version, generation: _generation, ...metadata } = object.metadata;
  return JSON.stringify({ ...object, metadata });
}

function keyOf(kind: string, namespace = '', name: string): string {
  return `${kind} ${namespace}/${name}`;
}
