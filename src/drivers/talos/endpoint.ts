/** One endpoint of the Talos API: its connection, over mutual TLS, and what is known of its health. */
import { Http2SessionManager, createGrpcTransport } from '@connectrpc/connect-node';
import type { Transport } from '@connectrpc/connect';
import { RegaugeError } from '../../base/errors.ts';
import type { TalosContext } from './talosconfig.ts';

/** constants.GRPCMaxMessageSize of Talos. */
const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;
const PORT = 50_000;
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 5_000;

/** Time was up before there was a connection: nobody has seen the call. */
export class NoConnection extends Error {
  constructor(timeoutMs: number) {
    super(`no connection within ${Math.ceil(timeoutMs / 1000)} s`);
    this.name = 'NoConnection';
  }
}

export class Endpoint {
  /** As the talosconfig writes it. */
  readonly name: string;
  readonly transport: Transport;
  private readonly session: Http2SessionManager;

  constructor(name: string, context: TalosContext) {
    this.name = name;
    const url = urlOf(name);
    const pings = { pingIntervalMs: PING_INTERVAL_MS, pingTimeoutMs: PING_TIMEOUT_MS };
    this.session = new Http2SessionManager(url, pings, {
      ca: context.authority,
      cert: context.certificate,
      key: context.key,
      minVersion: 'TLSv1.2',
    });
    this.transport = createGrpcTransport({
      baseUrl: url,
      sessionManager: this.session,
      readMaxBytes: MESSAGE_BYTES_MAX,
      writeMaxBytes: MESSAGE_BYTES_MAX,
    });
  }

  /** Resolves when there is a connection; rejects with Node's own error, or when time is up. */
  async connect(timeoutMs: number): Promise<void> {
    const giveUp = new NoConnection(timeoutMs);
    let timer: NodeJS.Timeout | undefined;
    const time = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.session.abort(giveUp);
        reject(giveUp);
      }, timeoutMs);
    });
    try {
      if ((await Promise.race([this.session.connect(), time])) !== 'error') return;
    } finally {
      clearTimeout(timer);
    }
    const reason = this.session.error();
    throw reason instanceof Error ? reason : new Error(String(reason));
  }

  close(): void {
    this.session.abort();
  }
}

/** `host`, `host:port`, `[::1]:50000`, `::1`, or a URL, of which talosctl takes the host. */
function urlOf(name: string): string {
  const bare = name.replace(/^[a-z]+:\/\//, '').replace(/\/.*$/, '');
  const isBareV6 = !bare.startsWith('[') && bare.split(':').length > 2;
  const host = isBareV6 ? `[${bare}]` : bare;
  const hasPort = /:\d+$/.test(host) && !host.endsWith(']');
  const url = `https://${host}${hasPort ? '' : `:${PORT}`}`;
  if (!URL.canParse(url)) {
    throw new RegaugeError('bad-input', `"${name}" is no address of a Talos endpoint`, {
      hint: 'endpoints are host names or addresses, with a port where it is not 50000',
    });
  }
  return url;
}
