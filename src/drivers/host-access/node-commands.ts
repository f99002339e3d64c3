/**
 * Commands on a node, each one program without a shell: in the pod of host access where one stands, for
 * reading in agents that have the path mounted, and else in a pod that is made for it, if that is
 * allowed. A command whose end nobody told is not taken for done.
 */
import { RegaugeError } from '../../base/errors.ts';
import { inContainer } from '../../knowledge/host-mounts.ts';
import type { ExecResult, KubernetesPort } from '../../ports/index.ts';
import { AgentMounts, type ExecPlace, placeIn } from './agent-mounts.ts';
import { HOST_CONTAINER } from './host-pod.ts';
import type { HostPods } from './host-pods.ts';

export interface NodeCommandsOptions {
  readonly kubernetes: KubernetesPort;
  readonly pods: HostPods;
  readonly mayCreatePods: boolean;
}

/** A path of the node as the container sees it that runs the command. */
export type Inside = (path: string) => string;

/** What is read, where it may be read through what mounts the path already. */
export type ReadNeed = { readonly path: string } | { readonly links: true };

const EXEC_MS = 60_000;
/** A command that broke off is asked again; reading and whole writes may be. */
const TRIES = 3;
const AGENT_TRIES = 2;

export class NodeCommands {
  private readonly kubernetes: KubernetesPort;
  private readonly pods: HostPods;
  private readonly mayCreatePods: boolean;
  private readonly agents: AgentMounts;

  constructor({ kubernetes, pods, mayCreatePods }: NodeCommandsOptions) {
    this.kubernetes = kubernetes;
    this.pods = pods;
    this.mayCreatePods = mayCreatePods;
    this.agents = new AgentMounts(kubernetes);
  }

  /** Reads wherever it can be read; `what` is for messages: `read /run/x of w-01`. */
  async read(
    node: string,
    need: ReadNeed,
    what: string,
    command: (inside: Inside) => readonly string[],
  ): Promise<ExecResult> {
    const own = await this.pods.standingOn(node);
    if (own !== undefined) return this.own(node, what, command);
    let failure: unknown;
    for (const place of await this.agents.on(node)) {
      const inside = insideOf(place, need);
      if (inside === undefined) continue;
      try {
        return await this.exec(place, command(inside));
      } catch (error) {
        if (!isOfPlace(error)) throw within(error, what);
        failure ??= error;
        // It may have been replaced since the agents were listed.
        this.agents.forget();
      }
    }
    if (this.mayCreatePods) return this.own(node, what, command);
    throw notAllowed(what, failure);
  }

  /** In the node's Cilium agent, which is on the host's network and may change that: for its packet filters. */
  async inAgent(node: string, what: string, command: readonly string[]): Promise<ExecResult> {
    for (let tries = 1; ; tries += 1) {
      const place = (await this.agents.on(node)).find(isCiliumAgent);
      try {
        if (place !== undefined) return await this.exec(place, command);
      } catch (error) {
        if (tries >= AGENT_TRIES || !isOfPlace(error)) throw within(error, what);
      }
      if (tries >= AGENT_TRIES) {
        throw new RegaugeError('refused', `cannot ${what}: no Cilium agent runs there`, {
          hint: 'see why it does not: kubectl get pods -A -l k8s-app=cilium -o wide',
        });
      }
      // It came, or was replaced, since the agents were listed.
      this.agents.forget();
    }
  }

  /** In a pod of host access. */
  async own(
    node: string,
    what: string,
    command: (inside: Inside) => readonly string[],
    options: { readonly stdin?: Uint8Array; readonly hostPid?: boolean } = {},
  ): Promise<ExecResult> {
    if (!this.mayCreatePods) throw notAllowed(what, undefined);
    const { stdin, hostPid = false } = options;
    for (let tries = 1; ; tries += 1) {
      const pod = await this.pods.on(node, { hostPid });
      const place = placeIn(pod, HOST_CONTAINER);
      const inside: Inside = (path) => inContainer(place.mounts, path) ?? path;
      try {
        return await this.exec(place, command(inside), stdin);
      } catch (error) {
        if (tries >= TRIES || !isGone(error)) throw within(error, what);
        this.pods.forget(node);
      }
    }
  }

  private exec(
    { namespace, pod, container }: ExecPlace,
    command: readonly string[],
    stdin?: Uint8Array,
  ): Promise<ExecResult> {
    return this.kubernetes.exec({
      namespace,
      pod,
      container,
      command,
      deadlineMs: EXEC_MS,
      ...(stdin === undefined ? {} : { stdin, stdinIsCounted: true }),
    });
  }
}

/** Runs it again while its end is unknown: for what may be done twice. */
export async function repeated<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries >= TRIES || !isEndUnknown(error)) throw error;
    }
  }
}

export function isEndUnknown(error: unknown): boolean {
  return (
    error instanceof RegaugeError &&
    error.code === 'unreachable' &&
    /before the server had said how the command ended/.test(error.message)
  );
}

function insideOf(place: ExecPlace, need: ReadNeed): Inside | undefined {
  if ('links' in need) return place.hostNetwork ? (path) => path : undefined;
  if (inContainer(place.mounts, need.path) === undefined) return undefined;
  return (path) => inContainer(place.mounts, path) ?? path;
}

function isCiliumAgent({ container, hostNetwork }: ExecPlace): boolean {
  return container === 'cilium-agent' && hostNetwork;
}

/** The container is no place for it: gone, without the program, or not ours to enter. */
function isOfPlace(error: unknown): boolean {
  return (
    error instanceof RegaugeError && ['refused', 'not-found', 'forbidden'].includes(error.code)
  );
}

/** The pod has ended or was removed: its time was over, the node rebooted, somebody cleaned up. */
function isGone(error: unknown): boolean {
  if (!(error instanceof RegaugeError)) return false;
  if (error.code === 'not-found') return true;
  return (
    error.code === 'refused' &&
    /container not found|cannot exec in a (stopped|deleted)|current phase is (Failed|Succeeded)/i.test(
      error.message,
    )
  );
}

function within(error: unknown, what: string): unknown {
  if (!(error instanceof RegaugeError)) return error;
  const details = { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  return new RegaugeError(error.code, `cannot ${what}: ${error.message}`, details);
}

function notAllowed(what: string, failure: unknown): RegaugeError {
  const why =
    failure instanceof RegaugeError
      ? `the agents on the node could not be asked (${failure.message})`
      : 'no pod that runs there has it mounted';
  return new RegaugeError('refused', `cannot ${what}: ${why}`, {
    hint: 'allow host access with --host-access: a pod on the node, which regauge makes and removes',
    cause: failure,
  });
}
