/**
 * The Kubernetes API of a served twin as one function from Request to Response, so that tests need no
 * socket. Paths outside of resources are routed here; resources are handled by `resource-handler.ts`.
 */
import { Hono } from 'hono';
import type { World } from '../../world.ts';
import type { WallClock } from '../pace.ts';
import { asApiError, internalError, noSuchPath, unauthorized, unavailable } from './api-error.ts';
import { aggregatedVersion, json, readObject } from './content.ts';
import { Discovery } from './discovery/discovery.ts';
import { ChangeHistory } from '../../store/change-history.ts';
import { ensureNamespaces } from './writes/namespaces.ts';
import { metricsOf } from './metrics.ts';
import { WireObjects } from './reads/objects.ts';
import { OpenApi } from './discovery/openapi.ts';
import { pathTarget } from './requests.ts';
import { ResourceHandler } from './resource-handler.ts';
import { type ResourceRegistry, resourcesOf } from '../../api/served-resources.ts';
import { serverVersion } from '../../api/server-version.ts';
import { answerReview, Tokens, type User } from './reviews.ts';
import type { Tree } from '../../../base/json-tree.ts';

export interface ApiOptions {
  readonly world: World;
  readonly clock: WallClock;
  /** Brings virtual time to the present; called before a request is handled. */
  readonly before: () => void;
  /** Something may have been scheduled; called after. A write takes the time of an API call. */
  readonly after: (wrote: boolean) => void;
  /** Text that nobody guesses, for tokens. */
  readonly randomToken: () => string;
  /** A mistake of the twin or of this server. */
  readonly onFailure: (error: unknown) => void;
}

export interface KubernetesApi {
  /** `user`: whom the client certificate names; undefined without one. */
  handle(request: Request, user: User | undefined): Promise<Response>;
  /** Whom a request is from; undefined where nobody is known by it. */
  identify(request: Request, user: User | undefined): User | undefined;
  /** Forgets what happened, as etcd's compaction does every five minutes. */
  compact(): void;
}

/** Open to everybody, as `system:public-info-viewer` makes them. */
const PUBLIC = new Set(['/healthz', '/livez', '/readyz', '/version', '/version/']);

export function createKubernetesApi(options: ApiOptions): KubernetesApi {
  const { world } = options;
  const registry = resourcesOf(world.store);
  ensureNamespaces(world.store, registry.all());
  const history = new ChangeHistory(
    world.store,
    registry.all().map(({ storedKind }) => storedKind),
  );
  const tokens = new Tokens(world, options.randomToken);
  const handler = new ResourceHandler({
    world,
    registry,
    history,
    tokens,
    clock: options.clock,
    objects: new WireObjects(world, history),
  });
  let known = 0;
  const app = routes(options, registry, handler, tokens, () => known);
  const identify = (request: Request, user: User | undefined): User | undefined => {
    const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
    const known = user ?? (bearer === undefined ? undefined : tokens.userOf(bearer));
    return known === undefined ? undefined : impersonated(request, known);
  };
  return {
    identify,
    handle: async (request, user) => {
      try {
        options.before();
        const sender = identify(request, user);
        if (sender !== undefined) known += 1;
        else if (!PUBLIC.has(new URL(request.url).pathname)) {
          world.api.refuseStranger();
          throw unauthorized();
        }
        return await app.fetch(request, { user: sender ?? ANONYMOUS });
      } catch (error) {
        return failure(error, options.onFailure);
      } finally {
        options.after(request.method !== 'GET' && request.method !== 'HEAD');
      }
    },
    compact: () => history.compact(),
  };
}

const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

interface Env {
  readonly Bindings: { readonly user: User };
}

function routes(
  { world, onFailure }: ApiOptions,
  registry: ResourceRegistry,
  handler: ResourceHandler,
  tokens: Tokens,
  requestsOfKnown: () => number,
): Hono<Env> {
  const app = new Hono<Env>({ strict: false });
  const discovery = new Discovery(registry);
  const openApi = new OpenApi(registry);
  for (const path of ['/healthz', '/livez', '/readyz'])
    app.get(path, () =>
      world.api.healthy()
        ? new Response('ok')
        : new Response('[-]etcd failed: reason withheld\nhealthz check failed', { status: 500 }),
    );
  app.use(async (_context, next) => {
    if (!world.api.healthy()) throw unavailable('etcdserver: no leader, or no API server runs');
    await next();
  });
  app.get('/metrics', () => metricsOf(world, requestsOfKnown()));
  app.get('/version', () => tree(versionOf(world)));
  app.get('/api', ({ req }) => {
    const version = aggregatedVersion(req.raw);
    return version === undefined
      ? tree(CORE_VERSIONS)
      : aggregated(discovery.aggregated('core', version), version);
  });
  app.get('/apis', ({ req }) => {
    const version = aggregatedVersion(req.raw);
    return version === undefined
      ? tree(discovery.groupList())
      : aggregated(discovery.aggregated('groups', version), version);
  });
  app.get('/api/v1', () => found(discovery.resourceList('', 'v1')));
  app.get('/apis/:group', ({ req }) => found(discovery.group(req.param('group'))));
  app.get('/apis/:group/:version', ({ req }) =>
    found(discovery.resourceList(req.param('group'), req.param('version'))),
  );
  app.get('/openapi/v2', () =>
    tree({
      swagger: '2.0',
      info: { title: 'Kubernetes', version: serverVersion(world).gitVersion },
      paths: {},
      definitions: {},
    }),
  );
  app.get('/openapi/v3', () => tree(openApi.index()));
  app.get('/openapi/v3/api/:version', ({ req }) =>
    found(openApi.document('', req.param('version'))),
  );
  app.get('/openapi/v3/apis/:group/:version', ({ req }) =>
    found(openApi.document(req.param('group'), req.param('version'))),
  );
  for (const root of ['authentication.k8s.io', 'authorization.k8s.io'])
    app.post(`/apis/${root}/v1/*`, async ({ req, env }) => {
      const plural = req.path.split('/').findLast((part) => part !== '') ?? '';
      return json(
        JSON.stringify(answerReview(plural, await readObject(req.raw), env.user, tokens)),
        201,
      );
    });
  app.all('*', ({ req }) => {
    const target = pathTarget(req.path);
    if (target === undefined) throw noSuchPath();
    return handler.handle(req.raw, target);
  });
  app.onError((error) => failure(error, onFailure));
  return app;
}

function tree(value: Tree): Response {
  return json(JSON.stringify(value));
}

function found(value: Tree | undefined): Response {
  if (value === undefined) throw noSuchPath();
  return tree(value);
}

function aggregated(value: Tree, version: string): Response {
  const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  return json(JSON.stringify(value), 200, type);
}

function failure(error: unknown, onFailure: (error: unknown) => void): Response {
  const known = asApiError(error);
  if (known === undefined) onFailure(error);
  const { body } = known ?? internalError(error instanceof Error ? error.message : String(error));
  return json(JSON.stringify(body), body.code);
}

const CORE_VERSIONS: Tree = {
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [],
};

function versionOf(world: World): Tree {
  return {
    ...serverVersion(world),
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: '',
    compiler: 'gc',
    platform: 'linux/amd64',
  };
}

/** `kubectl --as`: allowed to everybody, as everything is. */
function impersonated(request: Request, user: User): User {
  const name = request.headers.get('impersonate-user');
  if (name === null) return user;
  const groups = (request.headers.get('impersonate-group') ?? '')
    .split(',')
    .map((each) => each.trim());
  return { name, groups: [...groups.filter((each) => each !== ''), 'system:authenticated'] };
}
