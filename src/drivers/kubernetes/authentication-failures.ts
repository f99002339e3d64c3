/**
 * The few lines of an API server's metrics that say whom it did not know. They are megabytes on a large
 * cluster: read once, a line at a time, and nothing else of them is kept.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { AuthenticationFailures, CallOptions } from '../../ports/index.ts';
import type { ApiClient } from './api-client.ts';
import { linesOf } from './lines.ts';
import { calls } from './objects.ts';

const ATTEMPTS = 'authentication_attempts{';
const START = 'process_start_time_seconds ';
/** Of `success`, `failure` (no proof that any authenticator takes) and `error` (a bad one), two end in 401. */
const REFUSED = /result="(?:failure|error)"/;

export async function authenticationFailures(
  client: ApiClient,
  options: CallOptions = {},
): Promise<AuthenticationFailures> {
  const request = {
    method: 'GET',
    path: '/metrics',
    accept: 'text/plain',
    isRepeatable: true,
    ...calls(options),
  };
  return client.send(request, async ({ headers, body }) => {
    let server: string | undefined;
    let count: number | undefined;
    for await (const line of linesOf(body)) {
      if (line.startsWith(START)) server = line.slice(START.length).trim();
      if (!line.startsWith(ATTEMPTS)) continue;
      count = (count ?? 0) + (REFUSED.test(line) ? valueOf(line) : 0);
    }
    const startedMs = Number(server) * 1_000;
    if (server === undefined || count === undefined || !Number.isFinite(startedMs + count))
      throw new RegaugeError(
        'refused',
        `GET /metrics of ${client.server} does not tell authentication_attempts and process_start_time_seconds`,
      );
    // Its own clock on both sides: ours may be another.
    const now = Date.parse(headers.date ?? '');
    const uptimeMs = Math.max(0, (Number.isNaN(now) ? Date.now() : now) - startedMs);
    return { server, count, uptimeMs };
  });
}

/** Behind the labels; a time in milliseconds may follow it. */
function valueOf(line: string): number {
  const [value] = line
    .slice(line.lastIndexOf('}') + 1)
    .trim()
    .split(' ');
  return Number(value);
}
