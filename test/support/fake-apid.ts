/**
 * For tests only: something that listens as apid does, on HTTP/2 over mutual TLS with Ed25519
 * certificates, and answers as the test says; also wrongly.
 */
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import {
  createAuthority,
  type Authority,
  type Identity,
} from '../../src/twin/wire/certificates.ts';
import type { TalosContext } from '../../src/drivers/talos/talosconfig.ts';

const YEARS_AGO_MS = 3 * 365 * 86_400_000;

export interface TestAuthority {
  readonly authority: Authority;
  readonly server: Identity;
  client(roles: readonly string[]): Promise<Identity>;
}

/** `expired`: its certificates were valid once. */
export async function testAuthority(options: { expired?: boolean } = {}): Promise<TestAuthority> {
  const now = Date.now() - (options.expired === true ? YEARS_AGO_MS : 0);
  const authority = await createAuthority({ kind: 'ed25519', commonName: 'talos', now });
  return {
    authority,
    server: await authority.issueServer(),
    client: (roles) => authority.issueClient({ commonName: 'test', organizations: roles }),
  };
}

export interface FakeApid {
  readonly address: string;
  /** Calls seen, as `/machine.MachineService/Version node`. */
  readonly calls: string[];
  close(): Promise<void>;
}

export interface FakeApidOptions {
  readonly server: Identity;
  /** PEM of the authority whose clients are let in. */
  readonly clients: string;
  readonly routes?: (router: ConnectRouter) => void;
  /** Instead of routes: the bare stream. */
  readonly raw?: (stream: ServerHttp2Stream, path: string) => void;
}

export async function fakeApid(options: FakeApidOptions): Promise<FakeApid> {
  const calls: string[] = [];
  const adapter = connectNodeAdapter({ routes: options.routes ?? (() => undefined) });
  const server = createSecureServer({
    cert: options.server.certificate,
    key: options.server.key,
    ca: options.clients,
    requestCert: true,
    rejectUnauthorized: true,
  });
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const path = headers[':path'] ?? '';
    calls.push(`${path} ${String(headers['node'] ?? '')}`.trim());
    if (options.raw !== undefined) options.raw(stream, path);
  });
  if (options.raw === undefined) server.on('request', adapter);
  await listen(server);
  const { port } = addressOf(server);
  return {
    address: `127.0.0.1:${port}`,
    calls,
    close: () => {
      for (const session of sessions) session.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export async function contextFor(
  trusted: TestAuthority,
  endpoints: readonly string[],
  options: { readonly identity?: Identity; readonly roles?: readonly string[] } = {},
): Promise<TalosContext> {
  const identity = options.identity ?? (await trusted.client(options.roles ?? ['os:admin']));
  return {
    name: 'test',
    endpoints,
    nodes: [],
    cluster: undefined,
    authority: trusted.authority.certificate,
    certificate: identity.certificate,
    key: identity.key,
  };
}

function listen(server: Http2SecureServer): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
}

function addressOf(server: Http2SecureServer): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen on TCP');
  return address;
}
