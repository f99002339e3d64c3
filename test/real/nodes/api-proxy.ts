/**
 * One address for a cluster whose objects a real API server has and whose containers the twin plays:
 * commands and logs, which an API server asks a kubelet for, go to the twin; everything else is passed
 * on as it is.
 */
import { readFileSync } from 'node:fs';
import { Agent, createServer, request, type RequestOptions } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type TLSSocket } from 'node:tls';
import type { Duplex } from 'node:stream';
import { createAuthority } from '../../../src/twin/wire/certificates.ts';
import { kubeconfigText } from '../../../src/twin/wire/kubeconfig.ts';
import { type ClientIdentity, identityIn } from '../../support/kubeconfig-identity.ts';

const OF_A_KUBELET = /\/pods\/[^/?]+\/(?:log|exec|attach)(?:\?|$)/;
const HOST = '127.0.0.1';

export interface ApiProxy {
  readonly kubeconfig: string;
  close(): Promise<void>;
}

interface Upstream extends Omit<ClientIdentity, 'url'> {
  readonly host: string;
  readonly port: number;
}

/** Of an administrator of both; `server` is a file, `kubelets` a text. */
export async function proxyApi(server: string, kubelets: string): Promise<ApiProxy> {
  const upstreams = {
    server: upstreamOf(readFileSync(server, 'utf8')),
    kubelets: upstreamOf(kubelets),
  };
  const agents = {
    server: new Agent({ ...upstreams.server, keepAlive: true }),
    kubelets: new Agent({ ...upstreams.kubelets, keepAlive: true }),
  };
  const authority = await createAuthority({
    kind: 'ecdsa-p256',
    commonName: 'proxy',
    now: Date.now(),
  });
  const identity = await authority.issueServer([HOST]);
  const proxy = createServer(
    {
      key: identity.key,
      cert: identity.certificate,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    },
    (asked, answer) => {
      const where = placeOf(asked);
      passOn(asked, answer, { ...upstreams[where], agent: agents[where] });
    },
  );
  proxy.on('upgrade', (asked: IncomingMessage, socket: Duplex, head: Buffer) =>
    passUpgrade(asked, socket, head, upstreams[placeOf(asked)]),
  );
  await new Promise<void>((resolve) => proxy.listen(0, HOST, resolve));
  const address = proxy.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return {
    kubeconfig: kubeconfigText({
      cluster: 'real',
      url: `https://${HOST}:${port}`,
      authority: authority.certificate,
      user: 'admin',
      identity: await authority.issueClient({ commonName: 'admin' }),
    }),
    close: async () => {
      for (const agent of Object.values(agents)) agent.destroy();
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

/** Who answers it. */
function placeOf({ url = '' }: IncomingMessage): 'server' | 'kubelets' {
  return OF_A_KUBELET.test(url) ? 'kubelets' : 'server';
}

function passOn(asked: IncomingMessage, answer: ServerResponse, to: RequestOptions): void {
  const { method, url: path, headers } = asked;
  const passed = request({ ...to, method, path, headers }, (answered) => {
    answer.writeHead(answered.statusCode ?? 502, answered.headers);
    answer.flushHeaders();
    answered.pipe(answer);
    answered.once('error', () => answer.destroy());
  });
  // Whoever asked meets a connection that ends, as with a server that is gone.
  passed.once('error', () => answer.destroy());
  answer.once('close', () => passed.destroy());
  asked.pipe(passed);
}

function passUpgrade(asked: IncomingMessage, socket: Duplex, head: Buffer, to: Upstream): void {
  const passed: TLSSocket = connect({ ...to, ALPNProtocols: ['http/1.1'] }, () => {
    const lines = [`${asked.method} ${asked.url} HTTP/1.1`];
    for (let index = 0; index + 1 < asked.rawHeaders.length; index += 2)
      lines.push(`${asked.rawHeaders[index]}: ${asked.rawHeaders[index + 1]}`);
    passed.write(`${lines.join('\r\n')}\r\n\r\n`);
    passed.write(head);
    socket.pipe(passed).pipe(socket);
  });
  passed.once('error', () => socket.destroy());
  socket.once('error', () => passed.destroy());
  socket.once('close', () => passed.destroy());
}

function upstreamOf(kubeconfig: string): Upstream {
  const { url, ...identity } = identityIn(kubeconfig);
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), ...identity };
}
