/** GET …/pods/<name>/log: what a container printed, and with `follow` what it prints from now on. */
import { type LogQuery, type OpenLog, openLog } from '../../../ports/containers/container-logs.ts';
import type { World } from '../../../world.ts';
import { badRequest } from '../api-error.ts';
import type { PodTarget } from '../writes/subresources.ts';
import { isTrue } from './watch.ts';

type LogTarget = Pick<PodTarget, 'namespace' | 'name'>;

export function logResponse(world: World, target: LogTarget, query: URLSearchParams): Response {
  const log = openLog(world, logQuery(world, target, query));
  const limit = numberAt(query, 'limitBytes', 1);
  if (isTrue(query.get('follow')))
    return new Response(followed(log, limit), {
      headers: { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' },
    });
  const text = Buffer.from(log.lines.map(ended).join(''));
  return new Response(limit === undefined ? text : text.subarray(0, limit), {
    headers: { 'content-type': 'text/plain' },
  });
}

function logQuery(
  { kernel }: World,
  { namespace, name }: LogTarget,
  query: URLSearchParams,
): LogQuery {
  const container = query.get('container');
  const tailLines = numberAt(query, 'tailLines', 0);
  const since = sinceTime(query, kernel.epochMs + kernel.now());
  const sinceSeconds = numberAt(query, 'sinceSeconds', 1) ?? since;
  return {
    namespace,
    pod: name,
    previous: isTrue(query.get('previous')),
    timestamps: isTrue(query.get('timestamps')),
    ...(container === null || container === '' ? {} : { container }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
  };
}

/** Seconds since `sinceTime` (RFC 3339). */
function sinceTime(query: URLSearchParams, now: number): number | undefined {
  const text = query.get('sinceTime');
  if (text === null) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw badRequest(`sinceTime: "${text}" is no time as RFC 3339 writes it`);
  return (now - at) / 1_000;
}

function numberAt(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (/^\d+$/.test(text) && Number(text) >= least) return Number(text);
  throw badRequest(`${name}: Invalid value: ${text}: must be greater than or equal to ${least}`);
}

function followed(log: OpenLog, limit: number | undefined): ReadableStream<Uint8Array> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  let stop: (() => void) | undefined;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      let isOver = false;
      const close = (): void => {
        isOver = true;
        stop?.();
        controller.close();
      };
      const send = (text: string): void => {
        const bytes = Buffer.from(text);
        const sent = bytes.subarray(0, Math.min(left, bytes.length));
        left -= sent.length;
        if (sent.length > 0) controller.enqueue(sent);
        if (left <= 0) close();
      };
      send(log.lines.map(ended).join(''));
      if (isOver) return;
      stop = log.follow((line) => {
        if (isOver) return;
        if (line === undefined) close();
        else send(ended(line));
      });
    },
    cancel: () => stop?.(),
  });
}

function ended(line: string): string {
  return `${line}\n`;
}
