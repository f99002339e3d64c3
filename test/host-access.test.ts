/**
 * Host access on a twin of a kubeadm cluster: what it makes, when it makes nothing, what it says when it
 * cannot, and that nothing of it stays.
 */
import { describe, expect, it } from 'vitest';
import { failureOf } from './support/failure-of.ts';
import { RegaugeError } from '../src/base/errors.ts';
import {
  type HostAccessSettings,
  openNodeHost,
} from '../src/drivers/host-access/open-node-host.ts';
import type { KubeObject, PodObject } from '../src/model/kubernetes.ts';
import { OWN_NAMESPACE } from '../src/model/own-objects.ts';
import type { ExecRequest, KubernetesPort } from '../src/ports/index.ts';
import { createTwinPorts } from '../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../src/twin/scenario/build-world.ts';
import { TWO_WEBS, tinyCluster } from './support/small-cluster.ts';
import { asDistribution } from './support/other-distributions.ts';

const CONF = '/etc/cni/net.d';
const WORKER = 'n-wrk-01';
const SETTLE_MS = 60_000;

interface Watched {
  readonly world: TwinWorld;
  readonly port: KubernetesPort;
  /** `program pod`, in order. */
  readonly ran: string[];
  open(settings?: Partial<HostAccessSettings>): ReturnType<typeof openNodeHost>;
  run<T>(work: () => Promise<T>): Promise<T>;
  hostPods(): readonly PodObject[];
}

function cluster(
  distribution: 'kubeadm' | 'talos' = 'kubeadm',
  before: (
    request: ExecRequest,
    exec: () => ReturnType<KubernetesPort['exec']>,
  ) => ReturnType<KubernetesPort['exec']> = (_, exec) => exec(),
): Watched {
  const input = tinyCluster({ prefix: 'n', workloads: [TWO_WEBS] });
  const { world } = buildWorld(asDistribution(input, distribution), { seed: 1 });
  const { kubernetes } = createTwinPorts(world);
  const ran: string[] = [];
  const port: KubernetesPort = {
    ...kubernetes,
    exec: (request) => {
      ran.push(`${request.command[0]} ${request.pod}`);
      return before(request, () => kubernetes.exec(request));
    },
  };
  return {
    world,
    port,
    ran,
    open: (settings = {}) =>
      openNodeHost({
        kubernetes: port,
        distribution,
        hostAccess: { run: 'r-1', mayCreatePods: true, ...settings },
      }),
    run: (work) => world.kernel.drive(work),
    hostPods: () =>
      world.store
        .list('Pod', OWN_NAMESPACE)
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined),
  };
}

describe('host access', () => {
  it('makes a pod that needs no scheduler, network, token or name, ends by itself, and goes', async () => {
    const { open, run, hostPods, world } = cluster();
    const { nodeHost, close } = open();
    expect(await run(() => nodeHost.list(WORKER, CONF))).toEqual(['10-flannel.conflist']);
    const [pod, second] = hostPods();
    expect(second).toBeUndefined();
    expect(pod?.spec).toMatchObject({
      nodeName: WORKER,
      hostNetwork: true,
      automountServiceAccountToken: false,
      restartPolicy: 'Never',
      activeDeadlineSeconds: expect.any(Number),
      tolerations: [{ operator: 'Exists' }],
      containers: [{ image: expect.stringMatching(/@sha256:[0-9a-f]{64}$/) }],
    });
    expect(pod?.spec.hostPID).toBeUndefined();
    const namespace = world.store.get('Namespace', undefined, OWN_NAMESPACE);
    expect(namespace?.metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'privileged',
    });
    await run(() => close());
    expect(hostPods()).toEqual([]);
    expect(world.store.get('Namespace', undefined, OWN_NAMESPACE)).toBeUndefined();
  });

  it('uses one pod for whatever is done on a node, and a second only for its processes', async () => {
    const { open, run, hostPods, world } = cluster();
    const { nodeHost, close } = open();
    await run(() => nodeHost.write(WORKER, `${CONF}/05-a.conf`, '{}'));
    await run(() => nodeHost.links(WORKER));
    await run(() => nodeHost.removeLink(WORKER, 'cni0'));
    expect(hostPods()).toHaveLength(1);
    expect(world.nodes.get(WORKER)?.network.links()).not.toContain('cni0');
    await run(() => nodeHost.restartService(WORKER, 'kubelet'));
    expect(hostPods().map(({ spec }) => spec.hostPID === true)).toEqual([false, true]);
    await run(() => close());
    expect(hostPods()).toEqual([]);
  });

  it('removes hundreds of files in a few commands', async () => {
    const { open, run, ran } = cluster();
    const { nodeHost } = open();
    const paths = Array.from(
      { length: 250 },
      (_, at) => `/var/lib/cni/networks/cbr0/10.244.1.${at}`,
    );
    await run(() => nodeHost.removeAll?.(WORKER, paths) ?? Promise.reject(new Error('none')));
    expect(ran.filter((each) => each.startsWith('rm ')).length).toBeLessThanOrEqual(5);
  });

  it('passes no content in an argument', async () => {
    const seen: string[] = [];
    const { open, run } = cluster('kubeadm', (request, exec) => {
      seen.push(...request.command);
      return exec();
    });
    await run(() => open().nodeHost.write(WORKER, `${CONF}/calico-kubeconfig`, 'token: s3cr3t'));
    expect(seen.join(' ')).not.toContain('s3cr3t');
    expect(seen).not.toContain('sh');
  });

  it('reads through what an agent has mounted, and makes nothing', async () => {
    const { open, run, hostPods, ran } = cluster();
    const { nodeHost } = open({ mayCreatePods: false });
    const state = await run(() => nodeHost.read(WORKER, '/run/flannel/subnet.env'));
    expect(state).toContain('FLANNEL_SUBNET=');
    expect(await run(() => nodeHost.links(WORKER))).toContain('flannel.1');
    expect(ran.every((each) => /flannel/.test(each))).toBe(true);
    expect(hostPods()).toEqual([]);
  });

  it('says that nothing has it mounted, and what would be needed', async () => {
    const { open, run, hostPods } = cluster();
    const { nodeHost } = open({ mayCreatePods: false });
    const error = await failureOf(run(() => nodeHost.list(WORKER, CONF)));
    expect(error).toMatchObject({
      code: 'refused',
      hint: expect.stringContaining('--host-access'),
    });
    expect(error.message).toBe(
      `cannot list ${CONF} of ${WORKER}: no pod that runs there has it mounted`,
    );
    const written = await failureOf(run(() => nodeHost.write(WORKER, `${CONF}/a.conf`, '')));
    expect(written.hint).toContain('--host-access');
    expect(hostPods()).toEqual([]);
  });

  it('follows a link that is absolute on the node', async () => {
    const { open, run, world } = cluster();
    const files = world.nodes.get(WORKER)?.files;
    files?.write('/run/real/state.env', 'A=1\n');
    const { nodeHost } = open();
    expect(files?.stat?.('/var/run')).toMatchObject({ kind: 'symlink', target: '/run' });
    expect(await run(() => nodeHost.read(WORKER, '/var/run/real/state.env'))).toBe('A=1\n');
    expect(await run(() => nodeHost.list(WORKER, '/var/run/real'))).toEqual(['state.env']);
    expect(await run(() => nodeHost.read(WORKER, '/var/run/none'))).toBeUndefined();
  });

  it('changes no whole tree of the system', async () => {
    const { open, run } = cluster();
    const { nodeHost } = open();
    for (const path of ['/', '/etc', '/etc/cni/../../var', 'relative/x']) {
      const error = await failureOf(run(() => nodeHost.remove(WORKER, path)));
      expect(error.code).toBe('refused');
    }
  });

  it('reboots and restarts services where there is systemd, and says where a unit is not', async () => {
    const { open, run, world } = cluster();
    const { nodeHost } = open();
    const boot = world.nodes.get(WORKER)?.machine.bootId;
    const error = await failureOf(run(() => nodeHost.restartService(WORKER, 'k9s')));
    expect(error.message).toContain('Unit k9s.service not found');
    await run(() => nodeHost.reboot(WORKER));
    world.kernel.runUntil(world.kernel.now() + 10 * SETTLE_MS);
    expect(world.nodes.get(WORKER)?.machine.bootId).not.toBe(boot);
    // The pod of before has ended with the machine: another takes its place.
    expect(await run(() => nodeHost.list(WORKER, CONF))).toContain('10-flannel.conflist');
  });

  it('refuses what the distribution has not, by its name', async () => {
    const { open, run } = cluster();
    const { nodeHost } = open();
    const config = await failureOf(run(() => nodeHost.machineConfig(WORKER)));
    expect(config).toMatchObject({ code: 'refused', message: expect.stringContaining('kubeadm') });
    const talos = cluster('talos');
    const reboot = await failureOf(talos.run(() => talos.open().nodeHost.reboot(WORKER)));
    expect(reboot).toMatchObject({ hint: expect.stringContaining('--talosconfig') });
  });

  it('tells the members of etcd by what the cluster says of itself', async () => {
    const { open, run, world } = cluster();
    const voter = { type: 'EtcdIsVoter', status: 'False' } as const;
    world.store.update('Node', undefined, 'n-cp-01', (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        labels: { ...node.metadata.labels, 'node-role.kubernetes.io/etcd': 'true' },
      },
      status: { ...node.status, conditions: [...(node.status.conditions ?? []), voter] },
    }));
    expect(await run(() => open().nodeHost.etcdMembers())).toEqual([
      { node: 'n-cp-01', healthy: false, learner: true, leader: false },
    ]);
  });
});

describe('host access after a crash', () => {
  it('finds what another run left, and removes it once nobody else can be at work', async () => {
    const { open, run, hostPods } = cluster();
    await run(() => open({ run: 'crashed' }).nodeHost.list(WORKER, CONF));
    expect(hostPods()).toHaveLength(1);
    const shared = open({ run: 'r-2' });
    expect(await run(() => shared.sweep())).toEqual([]);
    const alone = open({ run: 'r-2', isExclusive: true });
    expect(await run(() => alone.sweep())).toHaveLength(1);
    expect(hostPods()).toEqual([]);
  });

  it('leaves nothing that runs for ever', async () => {
    const { open, run, hostPods, world } = cluster();
    await run(() => open({ run: 'crashed' }).nodeHost.list(WORKER, CONF));
    world.kernel.runUntil(world.kernel.now() + 4_000_000);
    expect(hostPods().map(({ status }) => status.phase)).toEqual(['Succeeded']);
    const later = open({ run: 'r-2' });
    await run(() => later.nodeHost.list(WORKER, CONF));
    expect(hostPods().map(({ metadata }) => metadata.labels?.['regauge.dev/run'])).toEqual(['r-2']);
    // And the namespace that the crashed one had made goes with the last.
    await run(() => later.close());
    expect(world.store.get('Namespace', undefined, OWN_NAMESPACE)).toBeUndefined();
  });

  it('goes on under the same name beside its own pod of before, and removes both', async () => {
    const { open, run, hostPods } = cluster();
    await run(() => open({ isExclusive: true }).nodeHost.list(WORKER, CONF));
    const again = open({ isExclusive: true });
    expect(await run(() => again.nodeHost.list(WORKER, CONF))).toContain('10-flannel.conflist');
    await run(() => again.close());
    expect(hostPods()).toEqual([]);
  });
});

describe('host access that breaks', () => {
  const END_UNKNOWN = new RegaugeError(
    'unreachable',
    'exec of mv: the connection was closed before the server had said how the command ended',
  );

  it.each(['dd', 'chmod', 'mv', 'sync'])(
    'writes whole although the connection broke after %s',
    async (program) => {
      let broke = false;
      const { open, run, world } = cluster('kubeadm', async (request, exec) => {
        const result = await exec();
        if (request.command[0] !== program || broke) return result;
        broke = true;
        throw END_UNKNOWN;
      });
      await run(() => open().nodeHost.write(WORKER, `${CONF}/05-a.conf`, '{"a":1}'));
      const files = world.nodes.get(WORKER)?.files;
      expect(broke).toBe(true);
      expect(files?.read(`${CONF}/05-a.conf`)).toBe('{"a":1}');
      expect(files?.list(CONF)).toHaveLength(2);
    },
  );

  it('takes a rename for done whose end nobody told', async () => {
    let broke = false;
    const { open, run, world } = cluster('kubeadm', async (request, exec) => {
      const result = await exec();
      if (request.command[0] !== 'mv' || broke) return result;
      broke = true;
      throw END_UNKNOWN;
    });
    const from = `${CONF}/10-flannel.conflist`;
    await run(() => open().nodeHost.rename(WORKER, from, `${from}.off`));
    expect(world.nodes.get(WORKER)?.files.list(CONF)).toEqual(['10-flannel.conflist.off']);
  });

  it('gives up when it breaks every time, and leaves no half-written file', async () => {
    const { open, run, world } = cluster('kubeadm', async (request, exec) => {
      const result = await exec();
      if (request.command[0] === 'chmod') throw END_UNKNOWN;
      return result;
    });
    const error = await failureOf(
      run(() => open().nodeHost.write(WORKER, `${CONF}/05-a.conf`, '{}')),
    );
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error.message).toContain(`cannot write ${CONF}/05-a.conf of ${WORKER}`);
    expect(world.nodes.get(WORKER)?.files.list(CONF)).toEqual(['10-flannel.conflist']);
  });

  it('does not move what it reads back otherwise', async () => {
    const { open, run, world } = cluster('kubeadm', async (request, exec) => {
      const result = await exec();
      return request.command[0] === 'cat' ? { ...result, stdout: '{' } : result;
    });
    const error = await failureOf(
      run(() => open().nodeHost.write(WORKER, `${CONF}/05-a.conf`, '{}')),
    );
    expect(error.message).toContain('read back');
    expect(world.nodes.get(WORKER)?.files.list(CONF)).toEqual(['10-flannel.conflist']);
  });

  it('says which image cannot be pulled, and how to name another', async () => {
    const { run, port, hostPods } = cluster();
    const waiting = { reason: 'ErrImageNeverPull', message: 'no such image is present' };
    const stuck: KubernetesPort = {
      ...port,
      get: async <T extends KubeObject>(...given: Parameters<KubernetesPort['get']>) => {
        const object = await port.get<T>(...given);
        if (given[0].kind !== 'Pod' || object === undefined) return object;
        const status = {
          phase: 'Pending',
          containerStatuses: [{ name: 'host', ready: false, restartCount: 0, state: { waiting } }],
        };
        const changed = { ...object.metadata, resourceVersion: 'other' };
        return { ...object, metadata: changed, status } as T;
      },
    };
    const { nodeHost } = openNodeHost({
      kubernetes: stuck,
      distribution: 'kubeadm',
      hostAccess: { run: 'r', mayCreatePods: true, image: 'registry.example/none:1' },
    });
    const error = await failureOf(run(() => nodeHost.list(WORKER, CONF)));
    expect(error.message).toContain('ErrImageNeverPull: no such image is present');
    expect(error.hint).toContain('--host-access-image');
    expect(hostPods()).toEqual([]);
  });

  it('says that a policy refuses its pod', async () => {
    const { run, port } = cluster();
    const refusing: KubernetesPort = {
      ...port,
      create: () =>
        Promise.reject(
          new RegaugeError('forbidden', 'violates PodSecurity "restricted:latest": privileged'),
        ),
    };
    const { nodeHost } = openNodeHost({
      kubernetes: refusing,
      distribution: 'kubeadm',
      hostAccess: { run: 'r', mayCreatePods: true },
    });
    const error = await failureOf(run(() => nodeHost.list(WORKER, CONF)));
    expect(error).toMatchObject({ code: 'forbidden', hint: expect.stringContaining('privileged') });
  });

  it('pulls from the mirror', async () => {
    const { open, run, hostPods } = cluster();
    const { nodeHost } = open({ registryMirror: 'harbor.example:8443/hub/' });
    await run(() => nodeHost.list(WORKER, CONF));
    expect(hostPods()[0]?.spec.containers[0]?.image).toMatch(
      /^harbor\.example:8443\/hub\/library\/busybox:/,
    );
  });
});
