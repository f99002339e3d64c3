/**
 * The twin's machines on the Talos API: apid of every node on a loopback address of its own, or, where
 * the system has only one, apid of one control plane, which forwards. Clients need a certificate of the
 * authority that is made here.
 */
import { createSecureServer, type Http2SecureServer, type Http2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Code, createContextValues, type ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { stringify } from 'yaml';
import { RegaugeError } from '../../../base/errors.ts';
import type { TalosRole } from '../../../knowledge/talos-roles.ts';
import type { TwinNode, World } from '../../world.ts';
import { createAuthority, type Authority } from '../certificates.ts';
import { Apid, type Peer, PEER, rolesOf, type TwinTime } from './apid.ts';
import { addClusterRoutes } from './cluster-routes.ts';
import { addConfigurationRoute } from './configuration-route.ts';
import { addEtcdRoutes } from './etcd-routes.ts';
import { addFileRoutes } from './file-routes.ts';
import { addMachineRoutes } from './machine-routes.ts';
import { News } from './news.ts';
import { addPowerRoutes } from './power-routes.ts';
import { addStateRoutes } from './state-routes.ts';

export interface ServeTalosOptions {
  readonly world: World;
  readonly time: TwinTime;
  /** Milliseconds since 1970: certificates are checked by real clients. */
  readonly now: number;
  /** 50000 when absent; 0 for any. */
  readonly port?: number;
  /** The roles of the talosconfig; os:admin when absent. */
  readonly roles?: readonly TalosRole[];
}

export interface ServedTalos {
  /** With a key in it: to be written for its owner only (0600). */
  readonly talosconfig: string;
  /** `127.0.1.1:50000` by node. */
  readonly endpoints: ReadonlyMap<string, string>;
  /** A talosconfig for other roles. */
  talosconfigFor(roles: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

const PORT = 50_000;
/** More workers than this get no port of their own: control planes forward to them. */
const NODES_MAX = 200;

export async function serveTalos(options: ServeTalosOptions): Promise<ServedTalos> {
  const { world, time, now, port = PORT } = options;
  const nodes = servedNodes(world);
  const places = new Map(nodes.map((node, index) => [node.name, placeOf(index)]));
  const authority = await createAuthority({ kind: 'ed25519', commonName: 'talos', now });
  const identity = await authority.issueServer([...places.values()]);
  const apid = new Apid(world, time, places);
  const news = new News(world);
  const listeners = new Listeners((peer) => handlerFor(apid, news, peer), {
    cert: identity.certificate,
    key: identity.key,
    ca: authority.certificate,
  });
  await listeners.open(nodes, places, port);
  const talosconfigFor = (roles: readonly string[]): Promise<string> =>
    talosconfig(authority, world, listeners.endpoints, roles);
  return {
    talosconfig: await talosconfigFor(options.roles ?? ['os:admin']),
    endpoints: listeners.endpoints,
    talosconfigFor,
    close: async () => {
      news.close();
      await listeners.close();
    },
  };
}

type Handler = ReturnType<typeof connectNodeAdapter>;

function handlerFor(apid: Apid, news: News, endpoint: TwinNode): Handler {
  return connectNodeAdapter({
    grpcWeb: false,
    connect: false,
    contextValues: (request) =>
      createContextValues().set<Peer | undefined>(PEER, { endpoint, roles: rolesOfPeer(request) }),
    routes: (router: ConnectRouter) => {
      addMachineRoutes(apid, router, news);
      addFileRoutes(apid, router);
      addConfigurationRoute(apid, router);
      addPowerRoutes(apid, router, news);
      addEtcdRoutes(apid, router);
      addStateRoutes(apid, router, news);
      addClusterRoutes(apid, router, news);
    },
    // gRPC's own answer to what is not offered, instead of HTTP's; without a body it is its end as well.
    fallback: (request, response) => {
      const [, service = '', method = ''] = (request.url ?? '').split('/');
      if (!('stream' in response)) return;
      response.stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': `${Code.Unimplemented}`,
          'grpc-message': `the twin does not play ${method} of ${service}`,
        },
        { endStream: true },
      );
    },
  });
}

function rolesOfPeer(request: Parameters<Handler>[0]): readonly TalosRole[] {
  const socket = 'stream' in request ? request.stream.session?.socket : request.socket;
  return socket instanceof TLSSocket ? rolesOf(socket.getPeerCertificate().subject?.O) : [];
}

class Listeners {
  readonly endpoints = new Map<string, string>();
  private readonly servers: Http2SecureServer[] = [];
  private readonly sessions = new Set<Http2Session>();
  private readonly handlerOf: (endpoint: TwinNode) => Handler;
  private readonly identity: { cert: string; key: string; ca: string };

  constructor(
    handlerOf: (endpoint: TwinNode) => Handler,
    identity: { cert: string; key: string; ca: string },
  ) {
    this.handlerOf = handlerOf;
    this.identity = identity;
  }

  async open(
    nodes: readonly TwinNode[],
    places: ReadonlyMap<string, string>,
    port: number,
  ): Promise<void> {
    for (const node of nodes) {
      const host = places.get(node.name) ?? '127.0.0.1';
      try {
        await this.listen(node, host, port);
      } catch (error) {
        // Only Linux has all of 127.0.0.0/8; elsewhere the first control plane stands for all.
        const isFirst = this.servers.length === 0;
        if (!isFirst || !isAbsentAddress(error)) {
          await this.close();
          throw inUse(error, host, port);
        }
        await this.listen(node, '127.0.0.1', port);
        return;
      }
    }
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await Promise.all(
      this.servers.map((server) => new Promise((resolve) => server.close(resolve))),
    );
  }

  private async listen(node: TwinNode, host: string, port: number): Promise<void> {
    const server = createSecureServer({
      ...this.identity,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    });
    const handler = this.handlerOf(node);
    server.on('request', (request, response) => {
      // A machine that is down answers nobody; what was open breaks.
      if (node.machine.up) handler(request, response);
      else request.stream.session?.destroy();
    });
    server.on('secureConnection', (socket) => {
      if (!node.machine.up) socket.destroy();
    });
    server.on('session', (session) => this.keep(session));
    server.on('sessionError', () => undefined);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => resolve());
    });
    this.servers.push(server);
    const address = server.address();
    this.endpoints.set(node.name, `${host}:${portOf(address) ?? port}`);
  }

  private keep(session: Http2Session): void {
    this.sessions.add(session);
    session.on('close', () => this.sessions.delete(session));
    session.on('error', () => undefined);
  }
}

function portOf(address: AddressInfo | string | null): number | undefined {
  return typeof address === 'object' ? address?.port : undefined;
}

/** Control planes first: the first may have to stand for all. */
function servedNodes(world: World): readonly TwinNode[] {
  const nodes = [...world.nodes.values()].filter(({ machine }) => machine.talos !== undefined);
  const controlPlanes = nodes.filter(({ role }) => role === 'control-plane');
  const workers = nodes.filter(({ role }) => role === 'worker');
  if (controlPlanes.length === 0) {
    throw new RegaugeError('bad-input', 'this cluster has no Talos control plane to be talked to');
  }
  return [...controlPlanes, ...workers.slice(0, NODES_MAX)];
}

/** `127.0.1.1` and on; 127.0.0.x is other people's. */
function placeOf(index: number): string {
  return `127.0.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`;
}

async function talosconfig(
  authority: Authority,
  world: World,
  endpoints: ReadonlyMap<string, string>,
  roles: readonly string[],
): Promise<string> {
  const client = await authority.issueClient({ commonName: 'twin', organizations: roles });
  const controlPlanes = [...world.nodes.values()].filter(({ role }) => role === 'control-plane');
  const context = {
    endpoints: controlPlanes.flatMap(({ name }) => endpoints.get(name) ?? []),
    nodes: controlPlanes.slice(0, 1).map(({ address }) => address),
    ca: base64(authority.certificate),
    crt: base64(client.certificate),
    // Talos labels its keys so.
    key: base64(client.key.replaceAll('PRIVATE KEY', 'ED25519 PRIVATE KEY')),
  };
  return stringify({ context: 'twin', contexts: { twin: context } }, { lineWidth: 0 });
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function isAbsentAddress(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRNOTAVAIL';
}

function inUse(error: unknown, host: string, port: number): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') return error;
  return new RegaugeError('conflict', `something listens at ${host}:${port} already`, {
    hint: 'another twin may be served there; choose another port',
    cause: error,
  });
}
