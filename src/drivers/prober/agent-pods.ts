/** The agents' pods as they come and go, by node and end; and why one does not run. */
import { RegaugeError } from '../../base/errors.ts';
import {
  HOST_PROBE_NAME,
  PROBE_CONTAINER,
  PROBE_NAME,
  PROBE_NAMESPACE,
} from '../../knowledge/probes/objects.ts';
import type { PodObject } from '../../model/kubernetes.ts';
import type { ProbeEnd } from '../../model/probe.ts';
import type { ClockPort, KubernetesPort } from '../../ports/index.ts';
import { followObjects } from '../../ports/follow-objects.ts';

/** Between two tries of a watch that failed. */
const AGAIN_MS = 2_000;
const ENDS = [
  ['pod', PROBE_NAME],
  ['host', HOST_PROBE_NAME],
] as const;

export interface AgentPod {
  readonly end: ProbeEnd;
  readonly node: string;
  readonly name: string;
  readonly uid: string;
  readonly running: boolean;
  /** Why it does not run; empty where it does. */
  readonly trouble: string;
}

export interface AgentPodsOptions {
  readonly kubernetes: KubernetesPort;
  readonly clock: ClockPort;
  readonly signal: AbortSignal;
  readonly changed: (pod: AgentPod) => void;
}

export class AgentPods {
  private readonly options: AgentPodsOptions;
  /** The newest pod of each end of a node. */
  private readonly pods = new Map<string, AgentPod>();
  private readonly byName = new Map<string, AgentPod>();

  constructor(options: AgentPodsOptions) {
    this.options = options;
  }

  on(end: ProbeEnd, node: string): AgentPod | undefined {
    return this.pods.get(`${end} ${node}`);
  }

  all(): Iterable<AgentPod> {
    return this.pods.values();
  }

  /** Until the signal says so; a server that does not answer is asked again. */
  async follow(): Promise<void> {
    const { signal, clock } = this.options;
    while (!signal.aborted) {
      try {
        await Promise.all(ENDS.map(([end, app]) => this.followEnd(end, app)));
      } catch (error) {
        if (!(error instanceof RegaugeError)) throw error;
      }
      if (!signal.aborted) await clock.sleep(AGAIN_MS);
    }
  }

  private async followEnd(end: ProbeEnd, app: string): Promise<void> {
    const { kubernetes, clock, signal } = this.options;
    const options = { namespace: PROBE_NAMESPACE, labelSelector: { app }, signal };
    for await (const event of followObjects<PodObject>(kubernetes, clock, 'v1', 'Pod', options)) {
      if (event.type === 'synced') continue;
      if (event.type === 'deleted') this.gone(event.name);
      else this.seen(end, event.object);
    }
  }

  private seen(end: ProbeEnd, pod: PodObject): void {
    const node = pod.spec.nodeName ?? wantedNode(pod);
    if (node === undefined) return;
    const trouble = troubleOf(pod);
    const { name, uid = name } = pod.metadata;
    const agent = { end, node, name, uid, running: trouble === '', trouble };
    const key = `${end} ${node}`;
    const other = this.pods.get(key);
    // One that is being replaced does not take the place of its successor.
    const isOver = pod.metadata.deletionTimestamp !== undefined;
    if (isOver && other !== undefined && other.name !== name) return;
    this.pods.set(key, agent);
    this.byName.set(name, agent);
    this.options.changed(agent);
  }

  private gone(name: string): void {
    const agent = this.byName.get(name);
    this.byName.delete(name);
    if (agent === undefined) return;
    const key = `${agent.end} ${agent.node}`;
    if (this.pods.get(key)?.name !== name) return;
    this.pods.delete(key);
    this.options.changed({ ...agent, running: false, trouble: 'its pod is gone' });
  }
}

/** A DaemonSet's pod names its node before the scheduler has bound it. */
function wantedNode({ spec }: PodObject): string | undefined {
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms?.[0]?.matchFields?.find(({ key }) => key === 'metadata.name')?.values?.[0];
}

function troubleOf({ metadata, status }: PodObject): string {
  const container = status.containerStatuses?.find(({ name }) => name === PROBE_CONTAINER);
  const { waiting, terminated, running } = container?.state ?? {};
  if (metadata.deletionTimestamp !== undefined) return `pod ${metadata.name} is being removed`;
  if (running !== undefined) return '';
  const why = waiting?.reason ?? terminated?.reason ?? status.phase ?? 'not started yet';
  const more = waiting?.message ?? terminated?.message;
  return `pod ${metadata.name}: ${why}${more === undefined ? '' : ` (${more})`}`;
}
