/** The lines that count, among all that an API server tells of itself; and one that does not tell them. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure-of.ts';
import {
  kubeconfigText,
  scratch,
  sendJson,
  serverIdentity,
  type ServerIdentity,
  startServer,
  statusBody,
} from '../../../test/support/fake-api-server.ts';
import { type OpenedKubernetes, openKubernetes } from './open.ts';

const NOW = 'Mon, 23 Nov 2026 20:00:00 GMT';
const START_SECONDS = Date.parse(NOW) / 1_000 - 90;
/** As a real one of 1.33 printed them, with others around that look alike. */
const METRICS = `# HELP apiserver_request_total [STABLE] Counter of apiserver requests.
apiserver_request_total{code="401",resource="pods"} 77
# TYPE authentication_attempts counter
authentication_attempts{result="error"} 3
authentication_attempts{result="failure"} 2
authentication_attempts{result="success"} 1.6e+06
authentication_attempts_other{result="error"} 50
process_start_time_seconds ${START_SECONDS.toExponential()}
process_start_time_seconds_other 1
`;

let identity: ServerIdentity;
const ends: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  identity = await serverIdentity();
});

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function telling(answerWith: string | undefined): Promise<OpenedKubernetes> {
  const server = await startServer(identity, ({ path }, answer) => {
    if (path !== '/metrics' || answerWith === undefined)
      sendJson(answer, statusBody(403, 'Forbidden', `cannot get path "${path}"`), 403);
    else answer.writeHead(200, { 'content-type': 'text/plain', date: NOW }).end(answerWith);
  });
  ends.push(() => server.close());
  const directory = scratch();
  ends.push(() => directory.remove());
  const kubeconfig = directory.write('config', kubeconfigText(server.url, identity.authority));
  const opened = await openKubernetes({ kubeconfig, environment: {} });
  ends.push(() => opened.close());
  return opened;
}

describe('authenticationFailures', () => {
  it('adds up what ended in 401, for the process and its own time', async () => {
    const port = await telling(METRICS);
    expect(await port.authenticationFailures()).toEqual({
      server: START_SECONDS.toExponential(),
      count: 5,
      uptimeMs: 90_000,
    });
  });

  it('is 0 where nobody was refused yet', async () => {
    const port = await telling(METRICS.replaceAll(/^.*"(error|failure)".*\n/gm, ''));
    expect(await port.authenticationFailures()).toMatchObject({ count: 0 });
  });

  it.each([
    ['another server’s', 'up 1\n'],
    ['cut off', METRICS.split('process_')[0] ?? ''],
    ['nonsense', METRICS.replace('{result="error"} 3', '{result="error"} many')],
  ])('is not known where the metrics are %s', async (_what, text) => {
    const error = await failureOf((await telling(text)).authenticationFailures());
    expect(error).toMatchObject({ code: 'refused' });
    expect(error.message).toContain('does not tell authentication_attempts');
  });

  it('says that it is forbidden', async () => {
    const error = await failureOf((await telling(undefined)).authenticationFailures());
    expect(error).toMatchObject({ code: 'forbidden' });
  });
});
