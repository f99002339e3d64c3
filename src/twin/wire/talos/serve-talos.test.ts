/**
 * The served Talos API as a client meets it: who is let in, who may do what, what is forwarded, and
 * what a watch tells. What its calls do to machines is held by the contract suite.
 */
import { connect } from 'node:http2';
import { type Client, Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ClusterService } from '../../../knowledge/talos-api/cluster/cluster.ts';
import { EventType, State } from '../../../knowledge/talos-api/cosi/state.ts';
import { MachineService } from '../../../knowledge/talos-api/machine/machine.ts';
import { expandCluster } from '../../scenario/expand-cluster.ts';
import { clusterSpecOf } from '../../scenario/read-spec.ts';
import { buildWorld, type TwinWorld } from '../../scenario/build-world.ts';
import { serveTalos, type ServedTalos } from './serve-talos.ts';

interface Identity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function served(
  version = '1.10.2',
): Promise<{ readonly talos: ServedTalos; readonly world: TwinWorld }> {
  const spec = clusterSpecOf({
    kind: 'ClusterSpec',
    name: 'served',
    versions: { talos: version, kubernetes: '1.33.0' },
    network: { endpoint: 'https://10.0.0.9:6443' },
    machine: {},
    nodes: { prefix: 't', controlPlanes: 1, workers: 1, firstAddress: '10.0.0.10' },
    workloads: [{ kind: 'Deployment', namespace: 'a', name: 'web', image: 'w:1', replicas: 1 }],
  });
  const { world } = buildWorld(expandCluster(spec), { seed: 1 });
  const time = { catchUp: () => undefined, schedule: () => undefined };
  const talos = await serveTalos({ world, time, now: Date.now(), port: 0 });
  open.push(() => talos.close());
  return { talos, world };
}

async function identity(talos: ServedTalos, roles: readonly string[]): Promise<Identity> {
  const config = parse(await talos.talosconfigFor(roles)) as {
    contexts: { twin: { ca: string; crt: string; key: string } };
  };
  const { ca, crt, key } = config.contexts.twin;
  return { ca: text(ca), cert: text(crt), key: text(key).replaceAll('ED25519 ', '') };
}

function text(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}

interface Clients {
  readonly cluster: Client<typeof ClusterService>;
  readonly machine: Client<typeof MachineService>;
  readonly state: Client<typeof State>;
}

async function clientsOf(
  talos: ServedTalos,
  node: string,
  roles: readonly string[] = ['os:admin'],
): Promise<Clients> {
  const baseUrl = `https://${talos.endpoints.get(node) ?? ''}`;
  const transport = createGrpcTransport({ baseUrl, nodeOptions: await identity(talos, roles) });
  return {
    cluster: createClient(ClusterService, transport),
    machine: createClient(MachineService, transport),
    state: createClient(State, transport),
  };
}

const CONTROL_PLANE = 't-cp-01';
const WORKER = 't-wrk-01';
const CONFIG = { namespace: 'config', type: 'MachineConfigs.config.talos.dev', id: 'v1alpha1' };

describe('served Talos', () => {
  it('lets nobody in without a certificate', async () => {
    const { talos } = await served();
    const { ca } = await identity(talos, []);
    const session = connect(`https://${talos.endpoints.get(CONTROL_PLANE) ?? ''}`, { ca });
    session.on('error', () => undefined);
    const answered = new Promise((resolve) => {
      const path = '/machine.MachineService/Version';
      const stream = session.request({ ':path': path, ':method': 'POST' });
      stream.on('response', () => resolve(true));
      stream.on('error', () => undefined);
      stream.on('close', () => resolve(false));
    });
    expect(await answered).toBe(false);
  });

  it('gives each role what Talos gives it, and no more', async () => {
    const { talos } = await served();
    const reader = await clientsOf(talos, CONTROL_PLANE, ['os:reader']);
    const [version] = (await reader.machine.version({})).messages;
    expect(version?.version?.tag).toBe('v1.10.2');
    const denied = { code: Code.PermissionDenied, rawMessage: 'not authorized' };
    await expect(reader.machine.reboot({})).rejects.toMatchObject(denied);
    await expect(reader.state.get(CONFIG)).rejects.toMatchObject(denied);
    const operator = await clientsOf(talos, CONTROL_PLANE, ['os:operator']);
    await expect(operator.machine.serviceRestart({ id: 'kubelet' })).resolves.toBeDefined();
    await expect(operator.machine.upgrade({ image: 'x' })).rejects.toMatchObject(denied);
    const nobody = await clientsOf(talos, CONTROL_PLANE, ['system:masters']);
    await expect(nobody.machine.version({})).rejects.toMatchObject(denied);
  });

  it('forwards from control planes, by address or name, and from workers only to themselves', async () => {
    const { talos } = await served();
    const { state } = await clientsOf(talos, CONTROL_PLANE);
    const nodename = { namespace: 'k8s', type: 'Nodenames.kubernetes.talos.dev', id: 'nodename' };
    for (const node of [WORKER, '10.0.0.11']) {
      const answer = await state.get(nodename, { headers: { node } });
      expect(answer.resource?.spec?.yamlSpec).toContain(WORKER);
    }
    const worker = await clientsOf(talos, WORKER);
    const headers = { node: WORKER };
    await expect(worker.state.get(nodename, { headers })).resolves.toBeDefined();
    await expect(
      worker.state.get(nodename, { headers: { node: CONTROL_PLANE } }),
    ).rejects.toMatchObject({ code: Code.PermissionDenied, rawMessage: 'no request forwarding' });
    await expect(state.get(nodename, { headers: { node: 'elsewhere' } })).rejects.toMatchObject({
      code: Code.Unavailable,
    });
  });

  it('merges the answers of several nodes, errors among them, and not those of COSI', async () => {
    const { talos } = await served();
    const { machine, state } = await clientsOf(talos, CONTROL_PLANE);
    const headers = { nodes: `${CONTROL_PLANE},elsewhere` };
    const { messages } = await machine.version({}, { headers });
    expect(messages.map(({ metadata }) => metadata?.hostname)).toEqual([
      CONTROL_PLANE,
      'elsewhere',
    ]);
    expect(messages[1]?.metadata?.error).toContain('no such host');
    await expect(state.get(CONFIG, { headers })).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringContaining('one-2-many proxying is not supported'),
    });
  });

  it('says with gRPC what it does not play, and that state is not written', async () => {
    const { talos } = await served();
    const { state } = await clientsOf(talos, CONTROL_PLANE);
    const ca = await identity(talos, ['os:admin']);
    const session = connect(`https://${talos.endpoints.get(CONTROL_PLANE) ?? ''}`, ca);
    open.push(() => session.destroy());
    const status = await new Promise((resolve) => {
      const path = '/machine.MachineService/Memory';
      const stream = session.request({ ':path': path, ':method': 'POST' });
      stream.on('response', (headers) => resolve(headers['grpc-status']));
    });
    expect(status).toBe(`${Code.Unimplemented}`);
    await expect(state.create({})).rejects.toMatchObject({
      code: Code.PermissionDenied,
      rawMessage: 'write access is not allowed',
    });
    const unplayed = { namespace: 'x', type: 'Unplayed.x.talos.dev' };
    const listed = (async () => {
      for await (const _ of state.list(unplayed)) expect.unreachable();
    })();
    await expect(listed).rejects.toMatchObject({ code: Code.PermissionDenied });
  });

  it('tells a watcher what is there and what changes', async () => {
    const { talos, world } = await served();
    const { state } = await clientsOf(talos, CONTROL_PLANE);
    const seen: (string | EventType | undefined)[][] = [];
    for await (const { event } of state.watch({ ...CONFIG, apiVersion: 1 })) {
      for (const { eventType, resource } of event) {
        seen.push([eventType, /cni:\s+name: (\w+)/.exec(resource?.spec?.yamlSpec ?? '')?.[1]]);
      }
      if (seen.length === 2) break;
      const patch = 'cluster: { network: { cni: { name: none } } }';
      if (seen.length === 1) world.nodes.get(CONTROL_PLANE)?.machine.patchConfig(patch, 'auto');
    }
    expect(seen).toEqual([
      [EventType.CREATED, undefined],
      [EventType.UPDATED, 'none'],
    ]);
  });

  it('judges health as a control plane does, and waits for what is not well', async () => {
    const { talos, world } = await served();
    const { cluster } = await clientsOf(talos, CONTROL_PLANE, ['os:reader']);
    const whole = await messagesOf(cluster.healthCheck({}));
    expect(whole.at(-1)).toBe('waiting for all k8s nodes to report schedulable: OK');
    expect(whole).toContain('waiting for coredns to report ready: OK');
    world.store.update('Node', undefined, WORKER, (node) => ({
      ...node,
      spec: { ...node.spec, unschedulable: true },
    }));
    const seen: string[] = [];
    const waited = (async () => {
      const waitTimeout = { seconds: 0n, nanos: 0 };
      for await (const { message } of cluster.healthCheck({ waitTimeout })) seen.push(message);
    })();
    await expect(waited).rejects.toMatchObject({ code: Code.DeadlineExceeded });
    expect(seen.at(-1)).toBe(
      `waiting for all k8s nodes to report schedulable: schedulable: not on ["${WORKER}"]`,
    );
  });

  it('does not see from 1.13 on that nodes are not ready while there is no CNI', async () => {
    const { talos, world } = await served('1.13.1');
    const patch = 'cluster: { network: { cni: { name: none } } }';
    world.nodes.get(CONTROL_PLANE)?.machine.patchConfig(patch, 'auto');
    world.store.update('Node', undefined, WORKER, (node) => ({
      ...node,
      status: { ...node.status, conditions: [{ type: 'Ready', status: 'False' }] },
    }));
    const { cluster } = await clientsOf(talos, CONTROL_PLANE);
    const messages = await messagesOf(cluster.healthCheck({}));
    expect(messages).toContain('waiting for all k8s nodes to report ready: SKIP');
    expect(messages.at(-1)).toContain('schedulable: OK');
  });

  it('shows what is mounted, and host DNS and KubePrism as they run', async () => {
    const { talos } = await served();
    const { machine, state } = await clientsOf(talos, CONTROL_PLANE, ['os:reader']);
    const [mounts] = (await machine.mounts({})).messages;
    expect(mounts?.stats).toContainEqual(
      expect.objectContaining({ filesystem: 'overlay', mountedOn: '/etc/cni' }),
    );
    const kind = { namespace: 'network', type: 'HostDNSConfigs.net.talos.dev', id: 'config' };
    const { resource } = await state.get(kind);
    expect(parse(resource?.spec?.yamlSpec ?? '')).toMatchObject({ enabled: true });
  });
});

async function messagesOf(
  progress: AsyncIterable<{ readonly message: string }>,
): Promise<string[]> {
  const messages: string[] = [];
  for await (const { message } of progress) messages.push(message);
  return messages;
}
