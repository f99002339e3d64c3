/**
 * What can be wrong between us and an API server: each is told apart in one message that says what to
 * do, nothing hangs, nothing half-read looks whole, and no server is stormed.
 */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure-of.ts';
import {
  type FakeServer,
  type Handler,
  kubeconfigText,
  QuickTimers,
  scratch,
  sendJson,
  serverIdentity,
  type ServerIdentity,
  startServer,
  statusBody,
} from '../../../test/support/fake-api-server.ts';
import { type OpenedKubernetes, openKubernetes, type OpenOptions } from './open.ts';

const NODE = { apiVersion: 'v1', kind: 'Node', name: 'n1' };
const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'a', name: 'c' };

let identity: ServerIdentity;
const ends: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  identity = await serverIdentity();
});

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function serve(handler: Handler, by: ServerIdentity = identity): Promise<FakeServer> {
  const server = await startServer(by, handler);
  ends.push(() => server.close());
  return server;
}

interface Config {
  readonly authority?: string;
  readonly user?: object;
  readonly cluster?: object;
}

async function open(
  url: string,
  { authority = identity.authority, user, cluster }: Config = {},
  options: OpenOptions = {},
): Promise<OpenedKubernetes> {
  const directory = scratch();
  ends.push(() => directory.remove());
  const file = directory.write('config', kubeconfigText(url, authority, user, cluster));
  const opened = await openKubernetes({
    kubeconfig: file,
    environment: { PATH: process.env['PATH'] },
    isInteractive: false,
    timers: new QuickTimers(),
    ...options,
  });
  ends.push(() => opened.close());
  return opened;
}

const nodeOf: Handler = (_request, answer) =>
  sendJson(answer, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });

describe('who is there', () => {
  it('does not take an expired certificate, and says that it is expired', async () => {
    const expired = await serverIdentity(true);
    const server = await serve(nodeOf, expired);
    const port = await open(server.url, { authority: expired.authority });
    const error = await failureOf(port.get(NODE));
    expect(error).toMatchObject({ code: 'untrusted' });
    expect(error.message).toContain('has expired');
    expect(server.requests).toEqual([]);
  });

  it('does not take a certificate of another authority', async () => {
    const server = await serve(nodeOf);
    const other = await serverIdentity();
    const port = await open(server.url, { authority: other.authority });
    const error = await failureOf(port.get(NODE));
    expect(error).toMatchObject({ code: 'untrusted' });
    expect(error.message).toContain('signed by an authority that the context does not know');
  });

  it('does not take a certificate for another name, and tells its names', async () => {
    const server = await serve(nodeOf);
    const port = await open(server.url, { cluster: { 'tls-server-name': 'api.example.com' } });
    const error = await failureOf(port.get(NODE));
    expect(error).toMatchObject({ code: 'untrusted' });
    expect(error.message).toMatch(/is not for .*127\.0\.0\.1/);
  });

  it('tells a refused connection from a name that nobody knows', async () => {
    const server = await serve(nodeOf);
    await server.close();
    const refused = await failureOf((await open(server.url)).get(NODE));
    expect(refused).toMatchObject({ code: 'unreachable' });
    expect(refused.message).toContain('connection refused');
    const unknown = await failureOf((await open('https://no-such-host.invalid:6443')).get(NODE));
    expect(unknown).toMatchObject({ code: 'unreachable' });
    expect(unknown.message).toMatch(/DNS/);
  });

  it('tells 401 from 403, and repeats neither', async () => {
    const unknown = await serve((_request, answer) =>
      sendJson(answer, statusBody(401, 'Unauthorized', 'Unauthorized'), 401),
    );
    const first = await failureOf((await open(unknown.url)).get(NODE));
    expect(first).toMatchObject({ code: 'unauthenticated' });
    expect(first.message).toContain('alice');
    expect(unknown.requests).toHaveLength(1);
    const message = 'nodes "n1" is forbidden: User "alice" cannot get resource "nodes"';
    const denied = await serve((_request, answer) =>
      sendJson(answer, statusBody(403, 'Forbidden', message), 403),
    );
    const second = await failureOf((await open(denied.url)).get(NODE));
    expect(second).toMatchObject({ code: 'forbidden', message });
    expect(denied.requests).toHaveLength(1);
  });

  it('recognises a login page that answers in the place of the API server', async () => {
    for (const status of [200, 403, 502]) {
      const server = await serve((_request, answer) => {
        answer.writeHead(status, { 'content-type': 'text/html' });
        answer.end('<!doctype html><html><title>Sign in</title></html>');
      });
      const error = await failureOf((await open(server.url)).get(NODE));
      expect(error).toMatchObject({ code: 'unreachable' });
      expect(error.message).toContain('titled "Sign in"');
    }
  });
});

describe('a connection that does not hold', () => {
  it('reads on where every second connection is dropped', async () => {
    let count = 0;
    const server = await serve((request, answer, incoming) => {
      count += 1;
      if (count % 2 === 1) incoming.socket.destroy();
      else nodeOf(request, answer, incoming);
    });
    const port = await open(server.url);
    for (let each = 0; each < 4; each += 1) {
      expect(await port.get(NODE)).toMatchObject({ metadata: { name: 'n1' } });
    }
  });

  it('does not make a write again that the server may have done', async () => {
    const server = await serve((_request, _answer, incoming) => incoming.socket.destroy());
    const port = await open(server.url);
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'a' } };
    expect(await failureOf(port.create(object))).toMatchObject({ code: 'unreachable' });
    expect(server.requests).toHaveLength(1);
    const operations = [{ op: 'add', path: '/data/a/-', value: 1 }] as const;
    await failureOf(port.patch(CONFIG, operations, { type: 'json' }));
    await failureOf(port.delete(CONFIG));
    expect(server.requests).toHaveLength(3);
  });

  it('asks again for a list that was cut off, and never shows the half of it', async () => {
    let count = 0;
    const items = [{ metadata: { name: 'n1' } }, { metadata: { name: 'n2' } }];
    const whole = JSON.stringify({ kind: 'NodeList', metadata: { resourceVersion: '5' }, items });
    const server = await serve((_request, answer, incoming) => {
      count += 1;
      answer.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length });
      if (count > 1) answer.end(whole);
      else answer.write(whole.slice(0, 60), () => incoming.socket.destroy());
    });
    const port = await open(server.url);
    expect(await port.list('v1', 'Node')).toHaveLength(2);
    expect(count).toBe(2);
  });

  it('gives up a server that is silent, and says which silence it was', async () => {
    const timers = new QuickTimers();
    const server = await serve(() => timers.advance(60_000));
    const error = await failureOf((await open(server.url, {}, { timers })).get(NODE));
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error.message).toContain('did not answer within 60 s');
  });

  it('gives up an answer that never ends', async () => {
    const timers = new QuickTimers([30_000]);
    const server = await serve((_request, answer) => {
      answer.writeHead(200, { 'content-type': 'application/json' });
      answer.write('{"kind":');
    });
    const error = await failureOf((await open(server.url, {}, { timers })).get(NODE));
    expect(error.message).toContain('did not go on with its answer within 30 s');
  });

  it('ends at the caller’s deadline and signal', async () => {
    const timers = new QuickTimers();
    const server = await serve(() => timers.advance(1_000));
    const port = await open(server.url, {}, { timers });
    expect(await failureOf(port.get(NODE, { deadlineMs: 1_000 }))).toMatchObject({
      code: 'timeout',
    });
    const controller = new AbortController();
    const waiting = failureOf(port.get(NODE, { signal: controller.signal }));
    controller.abort();
    expect(await waiting).toMatchObject({ code: 'interrupted' });
  });
});

describe('a server that asks for patience', () => {
  it('waits through a minute of 429 as long as it is told to, and no request comes early', async () => {
    const timers = new QuickTimers();
    const at: number[] = [];
    const server = await serve((request, answer, incoming) => {
      at.push(timers.now());
      if (timers.now() >= 60_000) nodeOf(request, answer, incoming);
      else {
        answer.writeHead(429, { 'retry-after': '5', 'content-type': 'text/plain' });
        answer.end('Too many requests, please try again later.');
      }
    });
    const port = await open(server.url, {}, { timers });
    expect(await port.get(NODE)).toMatchObject({ metadata: { name: 'n1' } });
    const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(5_000);
    expect(at.length).toBeLessThanOrEqual(13);
  });

  it('does not wait for an hour, and does not come back before it', async () => {
    const server = await serve((_request, answer) =>
      sendJson(answer, statusBody(429, 'TooManyRequests', 'busy'), 429, { 'retry-after': '3600' }),
    );
    const error = await failureOf((await open(server.url)).get(NODE));
    expect(error).toMatchObject({ code: 'throttled', message: 'busy' });
    expect(server.requests).toHaveLength(1);
  });

  it('takes a budget’s 429 as the answer it is, and a 500 for two budgets too', async () => {
    const message = "Cannot evict pod as it would violate the pod's disruption budget.";
    const causes = [{ reason: 'DisruptionBudget', message: 'needs 1' }];
    const answers = [
      statusBody(429, 'TooManyRequests', message, { causes }),
      statusBody(
        500,
        'InternalError',
        'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      ),
      statusBody(404, 'NotFound', 'pods "p" not found'),
    ];
    const server = await serve((_request, answer) => {
      const body = answers[server.requests.length - 1] ?? {};
      sendJson(answer, body, (body as { code: number }).code);
    });
    const port = await open(server.url);
    expect(await port.evict('a', 'p')).toEqual({ evicted: false, message, cause: 'budget' });
    expect(await port.evict('a', 'p')).toMatchObject({ evicted: false, cause: 'budgets-overlap' });
    expect(await failureOf(port.evict('a', 'p'))).toMatchObject({ code: 'not-found' });
  });
});
