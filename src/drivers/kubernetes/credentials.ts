/**
 * How the server is reached and who asks: certificates, token, proxy and agent from a kubeconfig by
 * way of the official client (loaded only here, and only when a cluster is asked), one pool of
 * connections, credentials renewed in time or when the server no longer knows them.
 */
import http from 'node:http';
import type { RequestOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import type { KubeConfig } from '@kubernetes/client-node';
import { RegaugeError } from '../../base/errors.ts';
import type { Access } from './attempt.ts';
import { environmentProxy } from './environment-proxy.ts';
import { type ExecCredential, type PluginOptions, runExecPlugin } from './exec-credential.ts';
import type { ChosenContext, Kubeconfig, Tree } from './kubeconfig.ts';

export interface Identity {
  readonly as?: string;
  readonly asGroups?: readonly string[];
}

/** Watches and commands hold connections; the throttle bounds the rest. */
const SOCKETS_MAX = 64;
const FREE_SOCKETS_MAX = 8;
/** Token files are read again as often as client-go does. */
const RENEW_MS = 60_000;
const TCP_KEEP_ALIVE_MS = 30_000;

export class Credentials {
  readonly url: URL;
  readonly context: string;
  readonly user: string;
  readonly namespace: string;
  private readonly chosen: ChosenContext | undefined;
  private readonly identity: Identity;
  private readonly plugin: PluginOptions;
  private config: KubeConfig;
  private execCredential: ExecCredential | undefined;
  private access: Access | undefined;
  private renewed = 0;
  private pending: Promise<Access> | undefined;
  private certificate: string | undefined;

  private constructor(
    config: KubeConfig,
    kubeconfig: Kubeconfig,
    identity: Identity,
    plugin: PluginOptions,
  ) {
    this.config = config;
    this.identity = identity;
    this.plugin = plugin;
    this.chosen = kubeconfig === 'in-cluster' ? undefined : kubeconfig;
    this.url = urlOf(config);
    this.context = this.chosen?.context ?? 'in-cluster';
    const user = this.chosen?.userName ?? 'the service account of this pod';
    this.user = identity.as ?? user;
    const current = config.getContextObject(config.getCurrentContext());
    this.namespace = this.chosen?.namespace ?? current?.namespace ?? 'default';
  }

  static async open(
    kubeconfig: Kubeconfig,
    identity: Identity,
    plugin: PluginOptions,
  ): Promise<Credentials> {
    const config = await configOf(kubeconfig, undefined, plugin.environment);
    return new Credentials(config, kubeconfig, identity, plugin);
  }

  /** The same for all who ask at once. */
  current(): Promise<Access> {
    if (this.access !== undefined && this.isFresh()) return Promise.resolve(this.access);
    this.pending ??= this.make().finally(() => (this.pending = undefined));
    return this.pending;
  }

  /** After a 401: what was kept is forgotten. False where asking again can bring nothing new. */
  async forget(): Promise<boolean> {
    const isRenewable =
      this.chosen === undefined ||
      ['exec', 'auth-provider', 'tokenFile'].some((key) => this.chosen?.user[key] !== undefined);
    if (!isRenewable) return false;
    this.execCredential = undefined;
    this.renewed = 0;
    this.config = await configOf(this.chosen ?? 'in-cluster', undefined, this.plugin.environment);
    return true;
  }

  /** What can be told of the client certificate when the server does not take it. */
  certificateEnd(): string | undefined {
    if (this.certificate === undefined) return undefined;
    try {
      const { validTo } = new X509Certificate(this.certificate);
      if (Date.parse(validTo) > Date.now()) return undefined;
      return `the client certificate of ${this.user} expired on ${validTo}`;
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.access?.agent.destroy();
  }

  private isFresh(): boolean {
    const { expires } = this.execCredential ?? {};
    if (this.chosen?.user['exec'] !== undefined) {
      return this.execCredential !== undefined && (expires === undefined || expires > Date.now());
    }
    return performance.now() - this.renewed < RENEW_MS && this.renewed > 0;
  }

  private async make(): Promise<Access> {
    const { chosen, plugin } = this;
    if (chosen?.user['exec'] !== undefined && chosen.user['exec'] !== null) {
      this.execCredential = await runExecPlugin(chosen, plugin);
      this.config = await configOf(chosen, this.execCredential, plugin.environment);
    }
    const options: RequestOptions = { headers: {} };
    await applied(this.config, options, this.user);
    this.certificate =
      typeof options.cert === 'string' || Buffer.isBuffer(options.cert)
        ? options.cert.toString()
        : undefined;
    const headers = this.headersOf(options);
    const agent = this.agentOf(options);
    this.renewed = performance.now();
    this.access = { url: this.url, agent, headers };
    return this.access;
  }

  private headersOf(options: RequestOptions): http.OutgoingHttpHeaders {
    const { as, asGroups = [] } = this.identity;
    const { user = {} } = this.chosen ?? {};
    const configured = user['as-groups'];
    const groups =
      as === undefined && Array.isArray(configured) ? configured.map(String) : asGroups;
    const who = as ?? user['as'];
    return {
      ...(options.headers as http.OutgoingHttpHeaders), // ours, and what the client put in
      ...(typeof options.auth === 'string'
        ? { Authorization: `Basic ${Buffer.from(options.auth).toString('base64')}` }
        : {}),
      ...(typeof who === 'string' ? { 'Impersonate-User': who } : {}),
      ...(groups.length > 0 ? { 'Impersonate-Group': [...groups] } : {}),
    };
  }

  /** One pool for as long as certificates stay; a new certificate needs new connections. */
  private agentOf(options: RequestOptions): http.Agent {
    const before = this.access?.agent;
    const material = [options.ca, options.cert, options.key, options.servername]
      .map(String)
      .join('\n');
    if (before !== undefined && this.material === material) return before;
    this.material = material;
    // Requests under way end on their own; what is idle would be used with the old certificate.
    before?.destroy();
    return pooled(this.url.protocol === 'http:' ? new http.Agent() : options.agent);
  }

  private material = '';
}

function urlOf(config: KubeConfig): URL {
  const server = config.getCurrentCluster()?.server ?? '';
  let url: URL;
  try {
    url = new URL(server);
  } catch {
    throw new RegaugeError('bad-input', `the server address of the cluster is no URL: "${server}"`);
  }
  const isLoopback = /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback)) return url;
  throw new RegaugeError('bad-input', `the server address ${url.origin} is not https`, {
    hint: 'Without TLS anybody on the way could read the credentials; http:// is taken for loopback only (kubectl proxy).',
  });
}

async function configOf(
  kubeconfig: Kubeconfig,
  credential: ExecCredential | undefined,
  environment: PluginOptions['environment'],
): Promise<KubeConfig> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node');
  const config = new Config();
  if (kubeconfig === 'in-cluster') {
    config.loadFromCluster();
    return config;
  }
  const { context, clusterName, userName, namespace } = kubeconfig;
  const user = userName === '' ? 'nobody' : userName;
  const document = {
    clusters: [{ name: clusterName, cluster: clusterOf(kubeconfig.cluster, environment) }],
    users: [{ name: user, user: userOf(kubeconfig.user, credential) }],
    contexts: [{ name: context, context: { cluster: clusterName, user, namespace } }],
    'current-context': context,
  };
  try {
    config.loadFromString(JSON.stringify(document));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new RegaugeError('bad-input', `the context "${context}" cannot be used: ${what}`);
  }
  return config;
}

function clusterOf(cluster: Tree, environment: PluginOptions['environment']): Tree {
  const { server } = cluster;
  if (cluster['proxy-url'] !== undefined || typeof server !== 'string') return cluster;
  if (!URL.canParse(server)) return cluster;
  const proxy = environmentProxy(new URL(server), environment);
  return proxy === undefined ? cluster : { ...cluster, 'proxy-url': proxy };
}

/** What the official client does not read (`tokenFile`), or does not well (`exec`), in its own terms. */
function userOf(user: Tree, credential: ExecCredential | undefined): Tree {
  const { exec: _, tokenFile, as: __, ...rest } = user;
  if (credential !== undefined) {
    const { token, certificate, key } = credential;
    return {
      ...rest,
      ...(token === undefined ? {} : { token }),
      ...(certificate === undefined ? {} : { 'client-certificate-data': base64(certificate) }),
      ...(key === undefined ? {} : { 'client-key-data': base64(key) }),
    };
  }
  if (typeof tokenFile !== 'string') return rest;
  const { token: ___, ...others } = rest;
  return { ...others, 'auth-provider': { name: 'tokenFile', config: { tokenFile } } };
}

async function applied(config: KubeConfig, options: RequestOptions, user: string): Promise<void> {
  try {
    if (config.getCurrentCluster()?.server.startsWith('http:') === true) return;
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    const { code, path } = error as { readonly code?: unknown; readonly path?: unknown };
    if (typeof path === 'string') {
      const message = `${path}, which the kubeconfig names, cannot be read: ${String(code)}`;
      throw new RegaugeError('bad-input', message);
    }
    // Its words may hold parts of a token.
    throw new RegaugeError('unauthenticated', `the auth provider of ${user} gave no credentials`, {
      hint: 'Log in again with the tool that wrote the kubeconfig.',
    });
  }
  checkMaterial(options);
}

function checkMaterial({ ca, cert, key }: RequestOptions): void {
  // Node takes an authority that is none without a word, and then trusts nobody.
  if (ca !== undefined) check('certificate-authority', () => new X509Certificate(String(ca)));
  check('client-certificate with its client-key', () => createSecureContext({ cert, key }));
}

function check(what: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    const why = typeof code === 'string' ? ` (${code})` : '';
    throw new RegaugeError('bad-input', `the ${what} of the kubeconfig cannot be used${why}`, {
      hint: 'It is damaged, not PEM, or certificate and key do not belong together.',
    });
  }
}

function pooled(agent: RequestOptions['agent']): http.Agent {
  if (!(agent instanceof http.Agent)) {
    throw new RegaugeError('bad-input', 'the kubeconfig leads to no way to connect');
  }
  const kept = { keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
  Object.assign(agent, { ...kept, maxSockets: SOCKETS_MAX, maxFreeSockets: FREE_SOCKETS_MAX });
  Object.assign((agent as { readonly options?: object }).options ?? {}, kept);
  return agent;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
