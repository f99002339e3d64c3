/** Version, services, containers and logs of a machine, as far as the twin plays them. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter } from '@connectrpc/connect';
import { MachineService } from '../../../knowledge/talos-api/machine/machine.ts';
import type { Occurrence } from '../../../model/occurrence.ts';
import { type MountRow, mountsOf } from '../../node/mount-tables.ts';
import type { TwinNode, World } from '../../world.ts';
import { type Apid, type Call, unknown } from './apid.ts';
import { servicesOf } from './machine-services.ts';
import type { News } from './news.ts';

const ARCHITECTURE = 'amd64';

export function addMachineRoutes(apid: Apid, router: ConnectRouter, news: News): void {
  const { world } = apid;
  const { method } = MachineService;
  apid.unary(router, method.version, ({ talos }) => ({
    messages: [
      {
        version: { tag: `v${talos.version()}`, os: 'linux', arch: ARCHITECTURE },
        platform: { name: 'metal', mode: 'metal' },
        features: { rbac: true },
      },
    ],
  }));
  apid.unary(router, method.serviceList, ({ node }) => ({
    messages: [{ services: servicesOf(node).map((each) => serviceInfo(world, each)) }],
  }));
  apid.unary(router, method.serviceRestart, ({ node }, { id }) => {
    requireService(node, id);
    const result = node.machine.restartService(id);
    if (!result.ok) throw unknown(result.message);
    return { messages: [{ resp: `Service "${id}" restarted` }] };
  });
  apid.unary(router, method.serviceStart, ({ node }, { id }) => {
    requireService(node, id);
    return { messages: [{ resp: `Service "${id}" started` }] };
  });
  apid.unary(router, method.serviceStop, ({ node }, { id }) => {
    requireService(node, id);
    throw unknown(`service "${id}" doesn't support stop operation via API`);
  });
  apid.unary(router, method.containers, ({ node }, { namespace }) => ({
    messages: [
      { containers: namespace === 'system' ? systemContainers(node) : podContainers(world, node) },
    ],
  }));
  apid.unary(router, method.mounts, ({ talos }) => ({
    messages: [{ stats: mountsOf('talos', talos.version()).toReversed().map(mountStat) }],
  }));
  addLogRoutes(apid, router, news);
}

const FILE_SYSTEMS = {
  image: '/dev/loop0',
  tmpfs: 'tmpfs',
  ephemeral: '/dev/sda4',
  overlay: 'overlay',
  disk: '/dev/sda1',
} as const;

/** Sizes are not played; talosctl shows no mount without one. */
const MOUNT_BYTES = { size: 64_000_000_000n, available: 48_000_000_000n };

function mountStat({ path, kind }: MountRow): typeof MOUNT_BYTES & {
  readonly filesystem: string;
  readonly mountedOn: string;
} {
  return { ...MOUNT_BYTES, filesystem: FILE_SYSTEMS[kind], mountedOn: path };
}

function addLogRoutes(apid: Apid, router: ConnectRouter, news: News): void {
  const { world } = apid;
  apid.stream(router, MachineService.method.logs, async function* (call, request) {
    const isService = request.namespace === 'system' || request.id === 'kubelet';
    if (!isService) throw unknown('the twin keeps no logs of the containers of pods');
    const { id } = request;
    if (!servicesOf(call.node).some((service) => service.id === id)) {
      throw unknown(`log "${id}" was not registered`);
    }
    const prefix = id === 'kubelet' ? 'kubelet.' : `${id}.`;
    const wanted = ({ kind }: Occurrence): boolean => kind.startsWith(prefix);
    const tail = request.tailLines < 0 ? Infinity : request.tailLines;
    yield* lines({ world, news, call, wanted, tail, follow: request.follow });
  });
  apid.stream(router, MachineService.method.dmesg, async function* (call, { follow, tail }) {
    yield* lines({ world, news, call, wanted: isOfKernelLog, tail: tail ? 0 : Infinity, follow });
  });
}

/** machined writes to the kernel's log. */
function isOfKernelLog({ kind }: Occurrence): boolean {
  return kind.startsWith('talos.') || kind.startsWith('node.');
}

interface LineRequest {
  readonly world: World;
  readonly news: News;
  readonly call: Call;
  readonly wanted: (occurrence: Occurrence) => boolean;
  readonly tail: number;
  readonly follow: boolean;
}

/** What the twin recorded of the node, a line each. */
async function* lines(request: LineRequest): AsyncGenerator<{ bytes: Uint8Array }> {
  const { world, news, call, wanted, tail, follow } = request;
  const { occurrences, epochMs } = world.kernel;
  const mine = (each: Occurrence): boolean => each.node === call.node.name && wanted(each);
  const text = ({ at, message }: Occurrence): { bytes: Uint8Array } => {
    const stamp = new Date(epochMs + at).toISOString();
    return { bytes: Buffer.from(`${stamp} ${message.replaceAll('\n', ' ')}\n`) };
  };
  const before = occurrences.filter(mine);
  let seen = occurrences.length;
  for (const each of tail === 0 ? [] : before.slice(-Math.min(tail, before.length)))
    yield text(each);
  if (!follow) return;
  while (!call.signal.aborted) {
    await news.next(call.signal);
    const fresh = occurrences.slice(seen).filter(mine);
    seen = occurrences.length;
    for (const each of fresh) yield text(each);
  }
}

function serviceInfo(
  { kernel }: World,
  { id, state, healthy }: ReturnType<typeof servicesOf>[number],
): object {
  const since = timestampFromMs(kernel.epochMs);
  return {
    id,
    state,
    events: { events: [{ msg: 'Started', state, ts: since }] },
    health: { unknown: healthy === undefined, healthy: healthy ?? false, lastChange: since },
  };
}

function requireService(node: TwinNode, id: string): void {
  if (servicesOf(node).some((service) => service.id === id)) return;
  throw unknown(`service "${id}" not defined`);
}

function systemContainers(node: TwinNode): object[] {
  const ids = servicesOf(node).map(({ id }) => id);
  return ['etcd', 'kubelet']
    .filter((id) => ids.includes(id))
    .map((id) => ({ namespace: 'system', id, status: 'RUNNING', podId: '', name: id }));
}

/** Of the pods that the kubelet says it runs; process ids are not played. */
function podContainers({ store }: World, node: TwinNode): object[] {
  return store.podsOn(node.name).flatMap((pod) => {
    const podId = `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`;
    const statuses = pod.status.containerStatuses ?? [];
    return statuses.map(({ name, state }) => ({
      namespace: 'k8s.io',
      id: `${podId}:${name}`,
      podId,
      name,
      image: pod.spec.containers.find((each) => each.name === name)?.image ?? '',
      status: state?.running === undefined ? 'CONTAINER_EXITED' : 'CONTAINER_RUNNING',
    }));
  });
}
