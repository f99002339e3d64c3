/** The audit log at an address: a receiver that fails, hangs, is away or forgets to answer. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { auditAddress, RemoteAudit } from './remote-audit.ts';

interface Request {
  readonly text: string;
  readonly first: number;
  readonly authorization: string | undefined;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Answers as it is told, request by request, then with 204. */
async function receiver(...answers: ((response: ServerResponse) => void)[]) {
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { authorization } = request.headers;
      requests.push({ text, first: Number(request.headers['regauge-first-line']), authorization });
      const answer = answers.shift();
      if (answer === undefined) response.writeHead(204).end();
      else answer(response);
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens has a port.
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}/audit`), requests };
}

interface Sleeper {
  readonly until: number;
  wake(): void;
}

/** Time that goes on when a try has failed, to whatever is due first. */
function remote(url: URL, more: { readonly isRequired?: boolean; readonly token?: string } = {}) {
  let now = 0;
  const said: string[] = [];
  let pauses = 0;
  let sleepers: Sleeper[] = [];
  const audit = new RemoteAudit({
    url,
    isRequired: false,
    now: () => now,
    deadlineMs: 2_000,
    sleep: (ms, signal, why) =>
      new Promise((wake) => {
        sleepers.push({ until: now + ms, wake });
        signal.addEventListener('abort', () => wake(), { once: true });
        if (why === 'limit') return;
        const [first] = sleepers.toSorted((left, right) => left.until - right.until);
        sleepers = sleepers.filter((sleeper) => sleeper !== first);
        now = Math.max(now, first?.until ?? now);
        first?.wake();
      }),
    ...more,
  });
  audit.watch({ say: (message) => said.push(message), pause: () => (pauses += 1) });
  return { audit, said, pauses: () => pauses };
}

function taken(requests: readonly Request[]): readonly string[] {
  return requests.flatMap(({ text }) => text.trimEnd().split('\n'));
}

const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end();

describe('the audit log at an address', () => {
  it('has every line once, in order, with the number of the first', async () => {
    const { url, requests } = await receiver();
    const { audit, said } = remote(url, { token: 't0ken' });
    for (let n = 0; n < 1_200; n += 1) audit.send(`{"n":${n}}\n`);
    await expect.poll(() => taken(requests).length, { timeout: 10_000 }).toBe(1_200);
    expect(taken(requests)).toEqual(Array.from({ length: 1_200 }, (_, n) => `{"n":${n}}`));
    let next = 1;
    for (const { first, text, authorization } of requests) {
      expect(first).toBe(next);
      expect(authorization).toBe('Bearer t0ken');
      next += text.trimEnd().split('\n').length;
    }
    await expect(audit.close()).resolves.toBe(0);
    expect(said).toEqual([]);
  });

  it('is sent again where the receiver fails, hangs or drops the connection; told once, and when it is back', async () => {
    const { url, requests } = await receiver(
      status(500),
      () => undefined,
      (response) => response.destroy(),
      status(302),
    );
    const { audit, said, pauses } = remote(url);
    audit.send('{"n":0}\n');
    await expect.poll(() => said.length, { timeout: 10_000 }).toBe(2);
    audit.send('{"n":1}\n');
    await expect.poll(() => requests.length).toBe(6);
    expect(requests.map(({ first }) => first)).toEqual([1, 1, 1, 1, 1, 2]);
    expect(said[0]).toContain('it answered 500; the run goes on, and the local log has everything');
    expect(said[1]).toContain('is taken again');
    expect(pauses()).toBe(0);
  });

  it('keeps so much and no more while nobody takes it, and says what is missing', async () => {
    const held: ServerResponse[] = [];
    const { url, requests } = await receiver((response) => void held.push(response));
    const { audit } = remote(url);
    audit.send('{"n":"first"}\n');
    await expect.poll(() => held.length).toBe(1);
    for (let n = 0; n < 20_500; n += 1) audit.send(`{"n":${n}}\n`);
    for (const response of held) status(204)(response);
    await expect
      .poll(() => taken(requests).length, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(20_000);
    audit.send('{"n":"last"}\n');
    await expect.poll(() => taken(requests).at(-1)).toBe('{"n":"last"}');
    expect(taken(requests).at(-2)).toBe('{"type":"gap","lines":501}');
  });

  it('holds a run up where it is required, and a run that has not begun from beginning', async () => {
    const { url } = await receiver(...Array.from({ length: 400 }, () => status(503)));
    const begun = remote(url, { isRequired: true });
    await expect(begun.audit.begin('{}\n')).rejects.toMatchObject({
      code: 'unreachable',
      message: `the audit log is not taken by ${url.href}: it answered 503`,
    });
    const running = remote(url, { isRequired: true });
    running.audit.send('{}\n');
    await expect.poll(() => running.pauses(), { timeout: 10_000 }).toBe(1);
    expect(running.said.at(-1)).toContain('the audit log is required');
    await expect(running.audit.close()).resolves.toBe(1);
  });

  it('goes where it is told, and holds nothing secret in its address', () => {
    expect(auditAddress('https://audit.example.org/x').href).toBe('https://audit.example.org/x');
    for (const text of ['audit.log', 'ftp://a/b', 'https://me:hush@a/b', 'https://a/b?k=hush'])
      expect(() => auditAddress(text)).toThrow(/^(?!.*hush).*audit log/);
  });
});
