/**
 * How each node fared over a rehearsal, for the timeline: machine, usable network, cordon, and its
 * pods by the network that gave them their address. Written as things change, read once at the end.
 */
import type { PodObject } from '../../model/kubernetes.ts';
import type { NodeHistory, NodeSpan } from '../../model/rehearsal.ts';
import type { Change } from '../store/object-store.ts';
import { POD_COUNT, POD_PART } from '../store/pod-changes.ts';
import type { World } from '../world.ts';

/** A pod that waits this long for its address is stuck, not starting (milliseconds). */
const STUCK_AFTER_MS = 60_000;
/** Spans kept per node; beyond it, only what changes the colour of the lane starts a new one. */
const SPANS_MAX = 120;

type PodState = 'old' | 'new' | 'waiting';

/** A change of a lane, as data: there are two for each pod that has gone. */
type Marker =
  | { readonly at: number; readonly kind: 'cordon'; readonly unschedulable: boolean }
  | {
      readonly at: number;
      readonly kind: 'machine';
      readonly up: boolean;
      readonly networkReady: boolean;
    }
  | { readonly at: number; readonly kind: 'old' | 'new' | 'stuck'; readonly by: 1 | -1 };

interface LaneState {
  up: boolean;
  networkReady: boolean;
  unschedulable: boolean;
  readonly pods: Record<'old' | 'new' | 'stuck', number>;
}

export interface NodeHistoryRecorder {
  histories(): readonly NodeHistory[];
}

/** `oldNetwork`: the data path the cluster started on. */
export function recordNodeHistories(world: World, oldNetwork: string): NodeHistoryRecorder {
  const recorder = new Recorder(world, oldNetwork);
  recorder.start();
  return recorder;
}

class Recorder implements NodeHistoryRecorder {
  private readonly markers = new Map<string, Marker[]>();
  private readonly machines = new Map<
    string,
    { readonly up: boolean; readonly networkReady: boolean }
  >();
  private readonly pods = new Map<
    string,
    { readonly node: string; state: PodState; since: number }
  >();
  private readonly world: World;
  private readonly oldNetwork: string;

  constructor(world: World, oldNetwork: string) {
    this.world = world;
    this.oldNetwork = oldNetwork;
  }

  start(): void {
    const { store, fabric, nodes } = this.world;
    for (const node of store.list('Node'))
      this.mark(node.metadata.name, cordonMarker(0, node.spec.unschedulable === true));
    for (const pod of store.list('Pod')) this.seePod(pod);
    store.watchPods(
      { parts: POD_COUNT | POD_PART.node | POD_PART.podIp | POD_PART.sandbox },
      (change) => this.podChanged(change),
    );
    store.watch('Node', ({ type, object, old }) => {
      if (type === 'added') this.nodeJoined(object.metadata.name);
      const unschedulable = object.spec.unschedulable === true;
      if (unschedulable !== (old?.spec.unschedulable === true)) {
        this.mark(object.metadata.name, cordonMarker(this.world.kernel.now(), unschedulable));
      }
    });
    // A pod's own attachment changes nothing about the machine.
    fabric.onChange((node, podUid) => {
      if (podUid === undefined) this.seeMachine(node);
    });
    for (const name of nodes.keys()) this.followMachine(name);
  }

  /** Until now there was no such machine. */
  private nodeJoined(name: string): void {
    if (this.machines.has(name) || !this.world.nodes.has(name)) return;
    this.mark(name, { at: 0, kind: 'machine', up: false, networkReady: false });
    this.followMachine(name);
  }

  private followMachine(name: string): void {
    this.seeMachine(name);
    this.world.nodes.get(name)?.runtime.onStatusChange?.(() => this.seeMachine(name));
  }

  histories(): readonly NodeHistory[] {
    const end = this.world.kernel.now();
    for (const pod of this.pods.values()) this.closePod(pod, end);
    this.pods.clear();
    return [...this.world.nodes.keys()].map((node) => ({
      node,
      spans: spansOf(this.markers.get(node) ?? [], end),
    }));
  }

  private seeMachine(name: string): void {
    const node = this.world.nodes.get(name);
    if (node === undefined) return;
    const { up } = node.machine;
    const networkReady = up && node.runtime.networkStatus().ready;
    const seen = this.machines.get(name);
    if (seen?.up === up && seen.networkReady === networkReady) return;
    this.machines.set(name, { up, networkReady });
    this.mark(name, { at: this.world.kernel.now(), kind: 'machine', up, networkReady });
  }

  private podChanged({ type, object }: Change<PodObject>): void {
    if (type === 'deleted') {
      const seen = this.pods.get(object.metadata.uid ?? '');
      if (seen === undefined) return;
      this.closePod(seen, this.world.kernel.now());
      this.pods.delete(object.metadata.uid ?? '');
      return;
    }
    this.seePod(object);
  }

  private seePod(pod: PodObject): void {
    const { uid = '' } = pod.metadata;
    const node = pod.spec.nodeName;
    if (node === undefined || pod.spec.hostNetwork === true) return;
    const state = this.stateOf(pod, node);
    const now = this.world.kernel.now();
    const seen = this.pods.get(uid);
    if (seen?.state === state) return;
    if (seen !== undefined) this.closePod(seen, now);
    this.pods.set(uid, { node, state, since: now });
  }

  private stateOf(pod: PodObject, node: string): PodState {
    if (pod.status.podIP === undefined || pod.status.podIP === '') return 'waiting';
    const network = this.world.nodes
      .get(node)
      ?.network.attachmentOf(pod.metadata.uid ?? '')?.network;
    if (network === undefined) return 'waiting';
    return network === this.oldNetwork ? 'old' : 'new';
  }

  private closePod(
    pod: { readonly node: string; readonly state: PodState; readonly since: number },
    until: number,
  ): void {
    if (pod.state === 'waiting' && until - pod.since < STUCK_AFTER_MS) return;
    const kind = pod.state === 'waiting' ? 'stuck' : pod.state;
    this.mark(pod.node, { at: pod.since, kind, by: 1 });
    this.mark(pod.node, { at: until, kind, by: -1 });
  }

  private mark(node: string, marker: Marker): void {
    const list = this.markers.get(node);
    if (list === undefined) this.markers.set(node, [marker]);
    else list.push(marker);
  }
}

function cordonMarker(at: number, unschedulable: boolean): Marker {
  return { at, kind: 'cordon', unschedulable };
}

function apply(marker: Marker, lane: LaneState): void {
  if (marker.kind === 'cordon') lane.unschedulable = marker.unschedulable;
  else if (marker.kind === 'machine') {
    lane.up = marker.up;
    lane.networkReady = marker.networkReady;
  } else lane.pods[marker.kind] += marker.by;
}

function spansOf(markers: readonly Marker[], end: number): readonly NodeSpan[] {
  const lane: LaneState = {
    up: true,
    networkReady: true,
    unschedulable: false,
    pods: { old: 0, new: 0, stuck: 0 },
  };
  const spans: NodeSpan[] = [];
  let since = 0;
  for (const marker of markers.toSorted((left, right) => left.at - right.at)) {
    const { at } = marker;
    if (at > since) {
      append(spans, lane, since, at);
      since = at;
    }
    apply(marker, lane);
  }
  append(spans, lane, since, end);
  return spans;
}

function append(spans: NodeSpan[], lane: LaneState, from: number, to: number): void {
  if (to <= from) return;
  const span: NodeSpan = {
    from: from / 1000,
    to: to / 1000,
    state: lane.up ? (lane.networkReady ? 'ready' : 'no-network') : 'down',
    pods: { ...lane.pods },
    unschedulable: lane.unschedulable,
  };
  const last = spans.at(-1);
  if (
    last !== undefined &&
    (isSame(last, span) || (spans.length >= SPANS_MAX && looksSame(last, span)))
  ) {
    spans[spans.length - 1] = { ...last, to: span.to };
  } else {
    spans.push(span);
  }
}

function isSame(left: NodeSpan, right: NodeSpan): boolean {
  return (
    looksSame(left, right) &&
    left.pods.old === right.pods.old &&
    left.pods.new === right.pods.new &&
    left.pods.stuck === right.pods.stuck &&
    left.unschedulable === right.unschedulable
  );
}

/** The same colour on the lane. */
function looksSame(left: NodeSpan, right: NodeSpan): boolean {
  return (
    left.state === right.state &&
    left.pods.old > 0 === right.pods.old > 0 &&
    left.pods.new > 0 === right.pods.new > 0 &&
    left.pods.stuck > 0 === right.pods.stuck > 0
  );
}
