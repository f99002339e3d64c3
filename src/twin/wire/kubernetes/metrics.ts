/**
 * `GET /metrics` of the served twin: of the thousands of lines of an API server those that say whom it
 * did not know, as it writes them (kubernetes:staging/src/k8s.io/apiserver/pkg/endpoints/filters/metrics.go).
 */
import type { World } from '../../world.ts';

/** `known`: how many requests were from somebody it knows. */
export function metricsOf({ api, kernel }: World, known: number): Response {
  const { server, count } = api.authenticationFailures();
  const lines = [
    '# HELP authentication_attempts [ALPHA] Counter of authenticated attempts.',
    '# TYPE authentication_attempts counter',
    // A series begins with the first of its kind.
    ...(count === 0 ? [] : [`authentication_attempts{result="error"} ${count}`]),
    `authentication_attempts{result="success"} ${known}`,
    '# HELP process_start_time_seconds [ALPHA] Start time of the process since unix epoch in seconds.',
    '# TYPE process_start_time_seconds gauge',
    `process_start_time_seconds ${server}`,
    '',
  ];
  return new Response(lines.join('\n'), {
    headers: {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      date: new Date(kernel.epochMs + kernel.now()).toUTCString(),
    },
  });
}
