/**
 * The pods of host access: made when they are needed, one for a node at a time, waited for, and removed.
 * A pod that does not start is one clear error; what another run left is found by its labels.
 */
import { RegaugeError } from '../../base/errors.ts';
import { redactText } from '../../base/redaction.ts';
import type { KubeObject, PodObject } from '../../model/kubernetes.ts';
import { OWN_NAMESPACE, ROLE_LABEL, RUN_LABEL } from '../../model/own-objects.ts';
import type { KubernetesPort } from '../../ports/index.ts';
import { makeOwnNamespace, removeOwnNamespace } from '../kubernetes/own-namespace.ts';
import { deadlineOf, sleep, systemTimers, type Timers } from '../kubernetes/timers.ts';
import { whyNotStarted } from './host-pod-state.ts';
import {
  fromMirror,
  HOST_ACCESS_IMAGE,
  HOST_ACCESS_ROLE,
  hostPod,
  kubeProxyCleanupPod,
  LIFE_SECONDS,
} from './host-pod.ts';

export interface HostPodsOptions {
  readonly kubernetes: KubernetesPort;
  readonly run: string;
  readonly isExclusive?: boolean;
  readonly image?: string;
  readonly registryMirror?: string;
  readonly startDeadlineMs?: number;
  readonly timers?: Timers;
}

interface Standing {
  readonly pod: Promise<PodObject>;
  /** By the clock of `timers`: after it the pod is too old to begin something in. */
  readonly until: number;
}

const START_MS = 120_000;
/** A pod is given up this long before its life ends. */
const SPARE_MS = 300_000;
const RETRY_MS = 1_000;
const ATTEMPTS_MAX = 5;
const LOG_LINES = 5;

export class HostPods {
  private readonly options: HostPodsOptions;
  private readonly timers: Timers;
  private readonly standing = new Map<string, Standing>();
  private prepared: Promise<void> | undefined;
  private attempts = 0;
  private hasCreated = false;

  constructor(options: HostPodsOptions) {
    this.options = options;
    this.timers = options.timers ?? systemTimers;
  }

  /** The node's pod if one stands: nothing is made. */
  async standingOn(node: string): Promise<PodObject | undefined> {
    const found = this.find(node, true) ?? this.find(node, false);
    return found?.pod.catch(() => undefined);
  }

  /** A running pod of the node; made where there is none. */
  async on(node: string, needs: { readonly hostPid: boolean }): Promise<PodObject> {
    const found = this.find(node, true) ?? (needs.hostPid ? undefined : this.find(node, false));
    if (found !== undefined) return found.pod;
    const key = keyOf(node, needs.hostPid);
    const pod = this.start(node, needs.hostPid);
    const until = this.timers.now() + LIFE_SECONDS * 1_000 - SPARE_MS;
    this.standing.set(key, { pod, until });
    try {
      return await pod;
    } catch (error) {
      this.standing.delete(key);
      throw error;
    }
  }

  /** The pod is gone or ended: the next call makes another. */
  forget(node: string): void {
    this.standing.delete(keyOf(node, true));
    this.standing.delete(keyOf(node, false));
  }

  /** Runs a program of kube-proxy's image on the node to its end; `what` is for messages. */
  async runInKubeProxyImage(
    node: string,
    image: string,
    what: string,
    command: readonly string[],
  ): Promise<void> {
    const { run, registryMirror } = this.options;
    const created = await this.create(node, (attempt) =>
      kubeProxyCleanupPod({
        node,
        run,
        attempt,
        command,
        image: fromMirror(image, registryMirror),
      }),
    );
    try {
      const ended = await this.waitFor(created, `cannot ${what}`, ({ status }) =>
        ['Succeeded', 'Failed'].includes(status.phase ?? ''),
      );
      if (ended.status.phase === 'Succeeded') return;
      const words = await this.lastWords(ended);
      const [program = '', argument = ''] = command;
      throw new RegaugeError('refused', `cannot ${what}: ${program} ${argument} failed${words}`);
    } finally {
      await this.remove(created);
    }
  }

  /** Removes what other runs left; names what it removed. */
  async sweep(): Promise<readonly string[]> {
    const { kubernetes, run, isExclusive = false } = this.options;
    const pods = await kubernetes.list<PodObject>('v1', 'Pod', {
      namespace: OWN_NAMESPACE,
      labelSelector: { [ROLE_LABEL]: HOST_ACCESS_ROLE },
    });
    const left = pods.filter(
      ({ metadata, status }) =>
        metadata.labels?.[RUN_LABEL] !== run &&
        (isExclusive || status.phase === 'Succeeded' || status.phase === 'Failed'),
    );
    for (const pod of left) await this.remove(pod);
    return left.map(({ metadata }) => metadata.name);
  }

  /**
   * Removes this run's pods, also those of a run of the same name before a crash; and the namespace where
   * host access made it and nobody else is there.
   */
  async close(): Promise<void> {
    this.standing.clear();
    const { kubernetes, run, isExclusive } = this.options;
    // Who made nothing needs no right to look; a run that goes on after a crash may have made some.
    if (!this.hasCreated && isExclusive !== true) return;
    const pods = await kubernetes.list<PodObject>('v1', 'Pod', {
      namespace: OWN_NAMESPACE,
      labelSelector: { [ROLE_LABEL]: HOST_ACCESS_ROLE, [RUN_LABEL]: run },
    });
    for (const pod of pods) await this.remove(pod);
    const isOwn = ({ kind, metadata }: KubeObject): boolean =>
      kind === 'Pod' && metadata.labels?.[RUN_LABEL] === run;
    await removeOwnNamespace(kubernetes, HOST_ACCESS_ROLE, isOwn);
  }

  private find(node: string, hostPid: boolean): Standing | undefined {
    const key = keyOf(node, hostPid);
    const found = this.standing.get(key);
    if (found === undefined || found.until > this.timers.now()) return found;
    this.standing.delete(key);
    return undefined;
  }

  private async start(node: string, hostPid: boolean): Promise<PodObject> {
    const { run, image = HOST_ACCESS_IMAGE, registryMirror } = this.options;
    const source = fromMirror(image, registryMirror);
    const created = await this.create(node, (attempt) =>
      hostPod({ node, run, image: source, hostPid, attempt }),
    );
    const what = `host access to ${node} is not there`;
    try {
      const pod = await this.waitFor(created, what, ({ status }) => status.phase !== 'Pending');
      if (pod.status.phase === 'Running') return pod;
      const words = await this.lastWords(pod);
      const state = whyNotStarted(pod) ?? `it ended as ${pod.status.phase ?? 'unknown'}${words}`;
      throw new RegaugeError('refused', `${what}: ${state}`);
    } catch (error) {
      await this.remove(created).catch(() => undefined);
      throw error;
    }
  }

  /** A name that is taken, by a run before a crash, is left alone: another attempt, another name. */
  private async create(node: string, make: (attempt: number) => PodObject): Promise<PodObject> {
    this.prepared ??= this.prepare();
    try {
      await this.prepared;
    } catch (error) {
      this.prepared = undefined;
      throw error;
    }
    const end = this.timers.now() + (this.options.startDeadlineMs ?? START_MS);
    this.hasCreated = true;
    for (let tries = 1; ; tries += 1) {
      this.attempts += 1;
      try {
        return await this.options.kubernetes.create(make(this.attempts));
      } catch (error) {
        if (!(error instanceof RegaugeError)) throw error;
        if (error.code === 'conflict' && tries < ATTEMPTS_MAX) continue;
        if (!isTooEarly(error) || this.timers.now() >= end) throw notCreated(node, error);
        await sleep(this.timers, RETRY_MS);
      }
    }
  }

  private async prepare(): Promise<void> {
    await makeOwnNamespace(this.options.kubernetes, HOST_ACCESS_ROLE, () =>
      sleep(this.timers, RETRY_MS),
    );
    await this.sweep();
  }

  /** The pod once it is as wanted; an error once it is known that it will not be. */
  private async waitFor(
    pod: PodObject,
    what: string,
    isThere: (pod: PodObject) => boolean,
  ): Promise<PodObject> {
    const deadline = deadlineOf(
      this.timers,
      { deadlineMs: this.options.startDeadlineMs ?? START_MS },
      what,
    );
    let latest = pod;
    try {
      for (;;) {
        const seen = await this.next(latest, isThere, deadline.signal);
        if (isThere(seen)) return seen;
        latest = seen;
        const why = whyNotStarted(seen, { onlyFinal: true });
        if (why !== undefined) throw notStarted(what, why);
      }
    } catch (error) {
      if (!deadline.signal.aborted) throw error;
      const seconds = Math.round((this.options.startDeadlineMs ?? START_MS) / 1_000);
      const why = whyNotStarted(latest) ?? 'the kubelet of the node says nothing of it';
      throw notStarted(what, `after ${seconds} s ${why}`);
    } finally {
      deadline.clear();
    }
  }

  /** The pod as it is after its next change; at once where it is as wanted already. */
  private async next(
    pod: PodObject,
    isThere: (pod: PodObject) => boolean,
    signal: AbortSignal,
  ): Promise<PodObject> {
    const { kubernetes } = this.options;
    const { name, namespace = OWN_NAMESPACE } = pod.metadata;
    const address = { apiVersion: 'v1', kind: 'Pod', namespace, name };
    const now = await kubernetes.get<PodObject>(address, { signal });
    if (now === undefined) throw new RegaugeError('not-found', `pod ${namespace}/${name} is gone`);
    const version = now.metadata.resourceVersion ?? '';
    const isNew = version !== pod.metadata.resourceVersion;
    if (isThere(now) || isNew) return now;
    const options = {
      namespace,
      fieldSelector: { 'metadata.name': name },
      resourceVersion: version,
      signal,
    };
    try {
      for await (const event of kubernetes.watch<PodObject>('v1', 'Pod', options)) {
        if (event.type === 'bookmark' || event.object.metadata.name !== name) continue;
        if (event.type === 'modified') return event.object;
        throw new RegaugeError('not-found', `somebody removed pod ${namespace}/${name}`);
      }
    } catch (error) {
      if (!(error instanceof RegaugeError) || error.code !== 'expired') throw error;
    }
    if (signal.aborted) throw new RegaugeError('timeout', 'no answer in time');
    return now;
  }

  private async lastWords({ metadata, spec }: PodObject): Promise<string> {
    const lines: string[] = [];
    const [container] = spec.containers;
    try {
      const logs = this.options.kubernetes.logs({
        namespace: metadata.namespace ?? OWN_NAMESPACE,
        pod: metadata.name,
        ...(container === undefined ? {} : { container: container.name }),
        tailLines: LOG_LINES,
      });
      for await (const line of logs) lines.push(line);
    } catch {
      return '';
    }
    return lines.length === 0 ? '' : `: ${redactText(lines.slice(-LOG_LINES).join(' | '))}`;
  }

  private remove({ metadata }: PodObject): Promise<void> {
    const { namespace = OWN_NAMESPACE, name, uid } = metadata;
    const address = { apiVersion: 'v1', kind: 'Pod', namespace, name };
    const options = uid === undefined ? {} : { preconditions: { uid } };
    return this.options.kubernetes.delete(address, options).catch((error: unknown) => {
      // Another pod of that name is not ours.
      if (error instanceof RegaugeError && error.code === 'conflict') return;
      throw error;
    });
  }
}

function keyOf(node: string, hostPid: boolean): string {
  return `${hostPid ? 'pid' : 'files'} ${node}`;
}

/** A new namespace has no service account yet, and is filled by a controller. */
function isTooEarly({ message }: RegaugeError): boolean {
  return /serviceaccount "[^"]+" not found/.test(message);
}

function notCreated(node: string, error: RegaugeError): RegaugeError {
  const isPolicy = /PodSecurity|violates|admission|denied the request/i.test(error.message);
  const hint = isPolicy
    ? `allow privileged pods in namespace ${OWN_NAMESPACE}: it is labelled so for Pod Security, another policy refuses them`
    : (error.hint ?? `it takes the right to create pods in namespace ${OWN_NAMESPACE}`);
  const message = `host access to ${node} is not there: its pod could not be created: ${error.message}`;
  return new RegaugeError(error.code, message, { hint, cause: error });
}

function notStarted(what: string, why: string): RegaugeError {
  const isImage = /image/i.test(why);
  return new RegaugeError('timeout', `${what}: its pod does not start: ${redactText(why)}`, {
    hint: isImage
      ? 'name an image that the node can pull with --host-access-image, or the mirror to pull it from with --registry-mirror'
      : 'look at the events of the pods in namespace regauge-system, and at the kubelet of the node',
  });
}
