/**
 * For tests only: an HTTPS server that does as a test says, with certificates of its own, a
 * kubeconfig for it, and timers on which a minute passes when the test says so.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Timers } from '../../src/drivers/kubernetes/timers.ts';
import { createAuthority, type Identity } from '../../src/twin/wire/certificates.ts';

const YEARS_AGO_MS = 3 * 365 * 86_400_000;

export interface ServerIdentity {
  readonly authority: string;
  readonly server: Identity;
}

/** `isExpired`: its certificates were valid once. */
export async function serverIdentity(isExpired = false): Promise<ServerIdentity> {
  const now = Date.now() - (isExpired ? YEARS_AGO_MS : 0);
  const authority = await createAuthority({ kind: 'ecdsa-p256', commonName: 'kubernetes', now });
  return { authority: authority.certificate, server: await authority.issueServer() };
}

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Handler = (
  request: FakeRequest,
  answer: ServerResponse,
  incoming: IncomingMessage,
) => void;

export interface FakeServer {
  readonly url: string;
  readonly server: Server;
  readonly requests: FakeRequest[];
  readonly connections: number;
  close(): Promise<void>;
}

export async function startServer(
  { server: { certificate, key } }: ServerIdentity,
  handler: Handler,
): Promise<FakeServer> {
  const requests: FakeRequest[] = [];
  let connections = 0;
  const server = createServer({ cert: certificate, key }, (incoming, answer) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'https://fake');
      const request: FakeRequest = {
        method: incoming.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        body: Buffer.concat(pieces).toString('utf8'),
      };
      requests.push(request);
      handler(request, answer, incoming);
    });
  });
  server.on('secureConnection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    server,
    requests,
    get connections() {
      return connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function sendJson(
  answer: ServerResponse,
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  answer.writeHead(status, { 'content-type': 'application/json', ...headers });
  answer.end(JSON.stringify(value));
}

export function statusBody(code: number, reason: string, message: string, details: object = {}) {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details };
}

/** A directory for kubeconfigs, plugins and the like. */
export function scratch(): {
  readonly path: string;
  write(name: string, text: string, mode?: number): string;
  remove(): void;
} {
  const directory = mkdtempSync(path.join(tmpdir(), 'regauge-kubernetes-'));
  return {
    path: directory,
    write: (name, text, mode = 0o600) => {
      const file = path.join(directory, name);
      writeFileSync(file, text, { mode });
      return file;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export function kubeconfigText(
  server: string,
  authority: string,
  user: object = { token: 'secret-token' },
  cluster: object = {},
): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'fake',
    contexts: [{ name: 'fake', context: { cluster: 'c', user: 'alice' } }],
    clusters: [
      {
        name: 'c',
        cluster: {
          server,
          'certificate-authority-data': Buffer.from(authority).toString('base64'),
          ...cluster,
        },
      },
    ],
    users: [{ name: 'alice', user }],
  });
}

/** Time that is waited for passes at once; deadlines come only when that time, or `advance`, reaches them. */
export class QuickTimers implements Timers {
  private time = 0;
  private order = 0;
  private readonly due = new Map<number, { readonly at: number; readonly action: () => void }>();
  private readonly waits = new Set<number>();
  private planned = false;
  private readonly elapse: ReadonlySet<number>;

  /** Deadlines of these lengths come at once: what they guard against is what the test is about. */
  constructor(elapse: readonly number[] = []) {
    this.elapse = new Set(elapse);
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return 0.5;
  }

  after(milliseconds: number, action: () => void): () => void {
    const id = this.add(milliseconds, action);
    this.waits.add(id);
    this.plan();
    return () => this.drop(id);
  }

  guard(milliseconds: number, action: () => void): () => void {
    const id = this.add(milliseconds, action);
    if (this.elapse.has(milliseconds)) {
      setImmediate(() => {
        if (this.due.has(id)) this.advance(milliseconds);
      });
    }
    return () => this.drop(id);
  }

  /** Lets this much time pass, with everything that is due in it. */
  advance(milliseconds: number): void {
    const until = this.time + milliseconds;
    for (;;) {
      const next = this.next([...this.due.keys()]);
      if (next === undefined || next.at > until) break;
      this.drop(next.id);
      this.time = Math.max(this.time, next.at);
      next.action();
    }
    this.time = until;
  }

  private add(milliseconds: number, action: () => void): number {
    const id = (this.order += 1);
    this.due.set(id, { at: this.time + milliseconds, action });
    return id;
  }

  private drop(id: number): void {
    this.due.delete(id);
    this.waits.delete(id);
  }

  private next(ids: Iterable<number>) {
    const all = [...ids].flatMap((id) => {
      const entry = this.due.get(id);
      return entry === undefined ? [] : [{ id, ...entry }];
    });
    return all.toSorted((one, other) => one.at - other.at || one.id - other.id)[0];
  }

  private plan(): void {
    if (this.planned) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      const next = this.next(this.waits);
      if (next === undefined) return;
      this.advance(Math.max(0, next.at - this.time));
      if (this.waits.size > 0) this.plan();
    });
  }
}
