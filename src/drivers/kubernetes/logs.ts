/** What a container printed, line by line as it comes. */
import { RegaugeError } from '../../base/errors.ts';
import type { LogRequest } from '../../ports/index.ts';
import { type Answer, AttemptError } from './attempt.ts';
import type { ApiClient } from './api-client.ts';
import { linesOf } from './lines.ts';
import { deadlineOf, interrupted } from './timers.ts';

/** A container may be silent for long while its log is followed. */
const SILENCE_MS = 24 * 60 * 60_000;

export async function* logLines(client: ApiClient, request: LogRequest): AsyncGenerator<string> {
  const { namespace, pod, follow = false, signal } = request;
  const deadline = deadlineOf(client.parts.timers, request, `the log of ${namespace}/${pod}`);
  let answer: Answer | undefined;
  const onAbort = (): void => answer?.discard();
  deadline.signal.addEventListener('abort', onAbort, { once: true });
  try {
    answer = await open(client, request, follow, deadline.signal);
    yield* linesOf(answer.body);
  } catch (error) {
    if (follow && signal?.aborted === true) return;
    if (deadline.signal.aborted) throw interrupted(deadline.signal);
    throw error instanceof AttemptError ? error.failure.error : error;
  } finally {
    deadline.signal.removeEventListener('abort', onAbort);
    answer?.discard();
    deadline.clear();
  }
}

function open(
  client: ApiClient,
  request: LogRequest,
  follow: boolean,
  signal: AbortSignal,
): Promise<Answer> {
  const { namespace, pod, container, previous, tailLines, sinceSeconds, timestamps } = request;
  if (namespace === '' || pod === '') throw new RegaugeError('not-found', 'the log of no pod');
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  const query = { container, previous, tailLines, sinceSeconds, timestamps, follow };
  return client.send(
    {
      method: 'GET',
      path,
      query,
      accept: '*/*',
      isRepeatable: true,
      signal,
      ...(follow ? { idleMs: SILENCE_MS } : {}),
    },
    (answer) => Promise.resolve(answer),
  );
}
