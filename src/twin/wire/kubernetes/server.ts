/**
 * The Kubernetes API on a socket: HTTPS with client certificates, gzip for large answers, WebSockets
 * for exec.
 */
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { getRequestListener } from '@hono/node-server';
import { WebSocketServer } from 'ws';
import { RegaugeError } from '../../../base/errors.ts';
import type { World } from '../../world.ts';
import type { Identity } from '../certificates.ts';
import { type KubernetesApi } from './api.ts';
import { ApiError, badRequest, notFound, unauthorized } from './api-error.ts';
import { EXEC_PROTOCOLS, execTarget, serveExec } from './exec-socket.ts';
import { pathTarget } from './requests.ts';
import type { User } from './reviews.ts';
import { unserved } from './unserved.ts';

export interface ServerOptions {
  readonly api: KubernetesApi;
  readonly world: World;
  readonly identity: Identity;
  /** PEM of the authority whose clients are known. */
  readonly clientAuthority: string;
  readonly host: string;
  readonly port: number;
  readonly before: () => void;
  readonly after: (wrote: boolean) => void;
  readonly onFailure: (error: unknown) => void;
}

export interface KubernetesServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Answers from this size on are compressed for those who take it (KK apiserver responsewriters). */
const GZIP_FROM_BYTES = 128 * 1024;
const compress = promisify(gzip);

export async function serveKubernetes(options: ServerOptions): Promise<KubernetesServer> {
  const { api, identity, clientAuthority, host, port } = options;
  const listener = getRequestListener(
    async (request, env) => {
      const { incoming } = env as { readonly incoming: IncomingMessage }; // HTTP/1.1 is all that is spoken
      return compressed(request, await api.handle(request, userOf(incoming.socket)));
    },
    { overrideGlobalObjects: false },
  );
  const server = createServer(
    {
      cert: identity.certificate,
      key: identity.key,
      ca: clientAuthority,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (incoming: IncomingMessage, outgoing: ServerResponse) => {
      void listener(incoming, outgoing);
    },
  );
  // Watches stay open for as long as they were asked for.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 120_000;
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => EXEC_PROTOCOLS.find((each) => offered.has(each)) ?? false,
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) =>
    upgrade(options, sockets, { incoming, socket, head }),
  );
  await listening(server, host, port);
  const address = server.address() as AddressInfo; // it listens on TCP
  return { host, port: address.port, close: () => closed(server, sockets) };
}

/** Whom the client certificate names; nobody where the authority did not issue it. */
function userOf(socket: Duplex): User | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  const { CN: name, O: organizations = [] } = subject as {
    readonly CN?: string;
    readonly O?: string | readonly string[];
  };
  if (name === undefined) return undefined;
  const groups = typeof organizations === 'string' ? [organizations] : organizations;
  return { name, groups: [...groups, 'system:authenticated'] };
}

async function compressed(request: Request, response: Response): Promise<Response> {
  const accepts = request.headers.get('accept-encoding')?.includes('gzip') === true;
  const isWatch = response.headers.get('cache-control') !== null;
  if (!accepts || isWatch || response.body === null) return response;
  const body = Buffer.from(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  if (body.length < GZIP_FROM_BYTES)
    return new Response(body, { status: response.status, headers });
  headers.set('content-encoding', 'gzip');
  headers.set('vary', 'Accept-Encoding');
  const { status } = response;
  return new Response(await compress(body, { level: 1 }), { status, headers });
}

interface Upgrade {
  readonly incoming: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
}

function upgrade(
  options: ServerOptions,
  sockets: WebSocketServer,
  { incoming, socket, head }: Upgrade,
): void {
  const { api, world } = options;
  try {
    options.before();
    const url = new URL(incoming.url ?? '/', 'https://localhost');
    const headers = new Headers();
    const { authorization } = incoming.headers;
    if (authorization !== undefined) headers.set('authorization', authorization);
    if (api.identify(new Request(url, { headers }), userOf(socket)) === undefined) {
      world.api.refuseStranger();
      throw unauthorized();
    }
    const { namespace, name = '', subresource, plural } = pathTarget(url.pathname) ?? {};
    if (plural !== 'pods' || namespace === undefined || subresource !== 'exec')
      throw unserved(subresource);
    if (world.store.get('Pod', namespace, name) === undefined)
      throw notFound({ group: '', plural: 'pods' }, name);
    if (incoming.headers.upgrade?.toLowerCase() !== 'websocket')
      throw badRequest('unable to upgrade: this twin serves exec over WebSocket');
    const target = execTarget(namespace, name, url.searchParams);
    sockets.handleUpgrade(incoming, socket, head, (webSocket) => {
      webSocket.on('error', () => webSocket.terminate());
      serveExec(world, webSocket, target);
    });
  } catch (error) {
    refuse(socket, error, options.onFailure);
  } finally {
    options.after(false);
  }
}

function refuse(socket: Socket, error: unknown, onFailure: (error: unknown) => void): void {
  if (!(error instanceof ApiError)) onFailure(error);
  const { body } = error instanceof ApiError ? error : badRequest('the request failed');
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${body.code} ${body.reason ?? ''}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is taken' : error.message;
      reject(
        new RegaugeError('bad-input', `cannot listen on ${host}:${port}: ${why}`, {
          hint: 'Port 0 takes a free one.',
        }),
      );
    });
    server.listen(port, host, () => resolve());
  });
}

function closed(server: Server, sockets: WebSocketServer): Promise<void> {
  return new Promise((resolve) => {
    for (const client of sockets.clients) client.terminate();
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
