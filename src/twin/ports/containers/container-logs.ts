/**
 * What containers print, as the API server hands it on from the kubelet (KK
 * pkg/kubelet/kubelet_pods.go validateContainerLogStatus, pkg/registry/core/pod/strategy.go
 * LogLocation). A pod that no node has yet has an empty log.
 */
import { RegaugeError } from '../../../base/errors.ts';
import type { ContainerStatus, PodObject } from '../../../model/kubernetes.ts';
import type { LogRequest } from '../../../ports/index.ts';
import type { ContainerLog, LogLine, World } from '../../world.ts';
import { apiCall } from '../calls.ts';
import { type ContainerTarget, containerOf, nodeOf, podOf } from './container-target.ts';

export interface LogQuery extends ContainerTarget {
  /** Of the container's run before this one. */
  readonly previous?: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  /** Each line begins with its time (RFC 3339). */
  readonly timestamps?: boolean;
}

/** A log as it is now, and what comes later. */
export interface OpenLog {
  readonly lines: readonly string[];
  /** Calls the listener with each later line, and with undefined at the end; returns the way out. */
  follow(listener: (line: string | undefined) => void): () => void;
}

/** Throws `not-found` without such a pod, `refused` with the kubelet's words where there is no log. */
export function openLog(world: World, query: LogQuery): OpenLog {
  const pod = podOf(world, query);
  const container = containerOf(pod, query.container);
  const log = pod.spec.nodeName === undefined ? undefined : logOf(world, pod, container, query);
  const { kernel } = world;
  const text = ({ at, text: line }: LogLine): string =>
    query.timestamps === true ? `${timeText(kernel.epochMs + at)} ${line}` : line;
  const shown = log === undefined ? [] : selected(log.lines, query, kernel.now());
  return {
    lines: shown.map(text),
    follow: (listener) => {
      if (log !== undefined && !log.ended)
        return log.follow((line) => listener(line === undefined ? undefined : text(line)));
      listener(undefined);
      return () => undefined;
    },
  };
}

/** The port's `logs`. */
export async function* logLines(world: World, request: LogRequest): AsyncGenerator<string> {
  const { signal, follow = false } = request;
  const waiting: string[] = [];
  let ended = !follow;
  let asked: { resolve(value: undefined): void } | undefined;
  const wake = (): void => {
    asked?.resolve(undefined);
    asked = undefined;
  };
  let stop: (() => void) | undefined;
  const onAbort = (): void => {
    ended = true;
    wake();
  };
  const lines = await apiCall(world, () => {
    const log = openLog(world, request);
    if (!follow) return log.lines;
    stop = log.follow((line) => {
      if (line === undefined) ended = true;
      else waiting.push(line);
      wake();
    });
    return log.lines;
  });
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    yield* lines;
    for (;;) {
      yield* waiting.splice(0);
      if (ended) return;
      const next = world.kernel.deferred<undefined>();
      asked = next;
      await next.promise;
    }
  } finally {
    stop?.();
    signal?.removeEventListener('abort', onAbort);
  }
}

function logOf(
  world: World,
  pod: PodObject,
  container: string,
  { previous = false }: LogQuery,
): ContainerLog | undefined {
  const { kubelet } = nodeOf(world, pod);
  const which = previous ? 'previous' : 'latest';
  if (!previous) kubelet.process(pod.metadata.uid ?? '', container)?.beforeRead?.();
  const log = kubelet.logOf?.(pod.metadata.uid ?? '', container, which);
  if (log !== undefined) return log;
  const { name } = pod.metadata;
  if (previous) {
    const message = `previous terminated container "${container}" in pod "${name}" not found`;
    throw new RegaugeError('refused', message);
  }
  const status = statusOf(pod, container);
  // It ran, on a kubelet that knows nothing of it any more.
  if (status?.state?.terminated !== undefined) return undefined;
  const why = status?.state?.waiting?.reason ?? 'PodInitializing';
  const message = `container "${container}" in pod "${name}" is waiting to start: ${why}`;
  throw new RegaugeError('refused', message);
}

function statusOf({ status }: PodObject, container: string): ContainerStatus | undefined {
  return [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])].find(
    ({ name }) => name === container,
  );
}

function selected(
  lines: readonly LogLine[],
  { tailLines, sinceSeconds }: LogQuery,
  now: number,
): readonly LogLine[] {
  const since = sinceSeconds === undefined ? undefined : now - sinceSeconds * 1_000;
  const late = since === undefined ? lines : lines.filter(({ at }) => at >= since);
  return tailLines === undefined ? late : late.slice(Math.max(0, late.length - tailLines));
}

/** As the runtime writes it: nanoseconds (KK pkg/kubelet/kuberuntime/logs RFC3339NanoFixed). */
function timeText(epochMs: number): string {
  const whole = Math.floor(epochMs);
  const nanoseconds = Math.round((epochMs - whole) * 1_000_000);
  const text = new Date(whole).toISOString();
  return `${text.slice(0, -1)}${String(nanoseconds).padStart(6, '0')}Z`;
}
