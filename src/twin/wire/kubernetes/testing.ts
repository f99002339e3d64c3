/** For tests: the API of a small twin without a socket, asked as an administrator. */
import { buildWorld, type TwinWorld } from '../../scenario/build-world.ts';
import { expandCluster } from '../../scenario/expand-cluster.ts';
import { clusterSpecOf } from '../../scenario/read-spec.ts';
import { WALL_CLOCK } from '../pace.ts';
import { createKubernetesApi, type KubernetesApi } from './api.ts';
import { isMap, type Tree } from '../../../base/json-tree.ts';

export interface Asked {
  readonly status: number;
  readonly body: Tree;
  readonly type: string;
  readonly warnings: readonly string[];
}

export interface TestApi {
  readonly world: TwinWorld;
  readonly api: KubernetesApi;
  ask(method: string, path: string, options?: AskOptions): Promise<Asked>;
  /** Reads a watch until so many events came; `onEvent` hears how many there are. */
  events(
    path: string,
    count: number,
    onEvent?: (count: number) => Promise<void>,
  ): Promise<readonly Tree[]>;
}

export interface AskOptions {
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  readonly anonymous?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

const ADMIN = { name: 'admin', groups: ['system:masters'] };

export function testApi(): TestApi {
  const spec = clusterSpecOf({
    kind: 'ClusterSpec',
    name: 'served',
    versions: { talos: '1.10.2', kubernetes: '1.33.0' },
    network: { endpoint: 'https://10.0.0.9:6443' },
    machine: {},
    nodes: { prefix: 't', controlPlanes: 1, workers: 2, firstAddress: '10.0.0.10' },
    workloads: [{ kind: 'Deployment', namespace: 'a', name: 'web', image: 'w:1', replicas: 2 }],
  });
  const { world } = buildWorld(expandCluster(spec), { seed: 1 });
  let count = 0;
  const api = createKubernetesApi({
    world,
    clock: WALL_CLOCK,
    before: () => undefined,
    after: (wrote) => world.kernel.runUntil(world.kernel.now() + (wrote ? 4 : 0)),
    randomToken: () => `token-${(count += 1)}`,
    onFailure: (error) => {
      throw error;
    },
  });
  const respond = (method: string, path: string, options: AskOptions = {}): Promise<Response> => {
    const { body, type = 'application/json', accept = 'application/json' } = options;
    const sent =
      typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const request = new Request(`https://twin${path}`, {
      method,
      headers: { accept, 'content-type': type, 'user-agent': 'kubectl/v1.33', ...options.headers },
      ...(body === undefined ? {} : { body: sent }),
    });
    return api.handle(request, options.anonymous === true ? undefined : ADMIN);
  };
  return {
    world,
    api,
    ask: async (method, path, options) => {
      const response = await respond(method, path, options);
      const text = await response.text();
      const body: unknown = text.startsWith('{') ? JSON.parse(text) : { text };
      return {
        status: response.status,
        body: isMap(body) ? body : {},
        type: response.headers.get('content-type') ?? '',
        warnings: (response.headers.get('warning') ?? '').split(', ').filter((each) => each !== ''),
      };
    },
    events: async (path, wanted, onEvent) =>
      readEvents(await respond('GET', path), wanted, onEvent),
  };
}

async function readEvents(
  response: Response,
  count: number,
  onEvent: (count: number) => Promise<void> = () => Promise.resolve(),
): Promise<readonly Tree[]> {
  const events: Tree[] = [];
  let text = '';
  const decoder = new TextDecoder();
  if (response.body === null) return events;
  const reader = response.body.getReader();
  while (events.length < count) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const event: unknown = JSON.parse(line);
      if (!isMap(event)) continue;
      events.push(event);
      await onEvent(events.length);
    }
  }
  await reader.cancel();
  return events;
}
