/**
 * K3s on a node: one process that holds kubelet, Flannel, kube-proxy and the policy controller, and starts
 * containerd, each as its configuration says when it starts; on a server API server and etcd too. What it
 * started ends with it, but not pods: systemd ends the process alone (k3s.service, KillMode=process). An agent is
 * told by a server what concerns the network (k3s:pkg/agent/config/config.go@001a6d9).
 */
import {
  K3S_LOCAL_API,
  k3sArgumentsIn,
  k3sFlag,
  type K3sNetwork,
  k3sNetwork,
  NODE_ARGS,
} from '../../knowledge/k3s.ts';
import type { Container, PodObject } from '../../model/kubernetes.ts';
import { cniPathsOf } from '../node/cni-paths.ts';
import { runFlannel } from '../programs/flannel/flanneld.ts';
import { fabricOf } from '../network/fabric.ts';
import { networkOf } from '../network/kernel-network.ts';
import { hasKubeRouterRules, writeKubeRouterRules } from '../network/old-rules.ts';
import { kubeProxy } from '../programs/kube-proxy.ts';
import { Life } from '../programs/life.ts';
import { keepPolicyRules } from '../programs/policy-rules.ts';
import type { NodeRuntime } from '../runtime/node-runtime.ts';
import type { Process, ProcessHost, TwinNode, World } from '../world.ts';
import { configuredWords, writeK3sFiles } from './k3s-files.ts';
import type { SystemService } from './systems.ts';

export interface K3sParts {
  readonly world: World;
  readonly runtime: NodeRuntime;
  readonly node: () => TwinNode;
  /** What its process was started with when the cluster was read; empty where that was not told. */
  readonly words: readonly string[];
  /** Of all servers of the cluster, in the order in which agents ask them. */
  readonly servers: readonly K3sService[];
}

/** UDP port of its VXLAN backend: the kernel's default, which it leaves alone. */
const VXLAN_PORT = 8472;

export class K3sService implements SystemService {
  readonly localApiPort = K3S_LOCAL_API.port;
  private readonly parts: K3sParts;
  private readonly isServer: boolean;
  private settings: K3sNetwork | undefined;
  private processes: readonly Process[] = [];
  /** Grows with every end: what was planned for a process does not happen to the next. */
  private ends = 0;
  /** The machine was down since the kubelet last ran. */
  private wasOff = false;

  constructor(parts: K3sParts, isServer: boolean) {
    this.parts = parts;
    this.isServer = isServer;
  }

  get running(): boolean {
    return this.settings !== undefined;
  }

  get hasFlannel(): boolean {
    return (this.settings?.flannelBackend ?? 'none') !== 'none';
  }

  /** The name of its unit (k3s:install.sh). */
  get unit(): string {
    return this.isServer ? 'k3s' : 'k3s-agent';
  }

  /** What it tells its agents; undefined while it does not run. */
  get told(): K3sNetwork | undefined {
    return this.settings;
  }

  /** It has been running for long. */
  adopt(): void {
    const settings = this.configuration();
    if (settings === undefined || !this.parts.node().machine.up) return;
    this.settings = settings;
    this.startParts(settings, true);
  }

  restart(): void {
    this.stop('terminated');
    this.start();
  }

  powerLost(): void {
    this.stop('power-lost');
  }

  start(): void {
    const { world } = this.parts;
    const { ends } = this;
    world.kernel.after(world.constants.k3sStartMs, () => {
      if (ends === this.ends) this.attempt();
    });
  }

  private attempt(): void {
    const { world, node, runtime } = this.parts;
    const settings = this.configuration();
    if (settings === undefined) {
      const { ends } = this;
      world.kernel.after(world.constants.k3sRetryMs, () => {
        if (ends === this.ends) this.attempt();
      });
      return;
    }
    world.kernel.occur('service.started', {
      node: node().name,
      message: `${this.unit} of ${node().name} runs, flannel-backend ${settings.flannelBackend}, ${settings.kubeProxy ? 'with' : 'without'} kube-proxy`,
    });
    this.settings = settings;
    const places = this.placesFor(settings);
    writeK3sFiles(node().files, settings, places);
    runtime.begin(places);
    const { kubelet } = node();
    if (this.wasOff) kubelet.powerOn();
    else kubelet.startAgain?.();
    this.wasOff = false;
    this.startParts(settings, false);
    this.describe();
    world.api.controlPlaneChanged?.();
  }

  private stop(reason: 'terminated' | 'power-lost'): void {
    const { world, node, runtime } = this.parts;
    this.ends += 1;
    if (reason === 'power-lost') this.wasOff = true;
    if (this.settings === undefined) return;
    const { name, kubelet } = node();
    if (reason === 'terminated')
      world.kernel.occur('service.stopped', {
        node: name,
        message: `${this.unit} of ${name} ended`,
      });
    this.settings = undefined;
    for (const process of this.processes) process.stop(reason);
    this.processes = [];
    if (reason === 'terminated') {
      kubelet.stop?.();
      runtime.halt();
    }
    world.api.controlPlaneChanged?.();
  }

  /** Undefined where an agent finds no server to ask. */
  private configuration(): K3sNetwork | undefined {
    const { servers, node, words } = this.parts;
    if (!this.isServer) return servers.map(({ told }) => told).find((each) => each !== undefined);
    const args = k3sArgumentsIn(['server', ...configuredWords(node().files), ...words.slice(1)]);
    return args === undefined ? undefined : k3sNetwork(args);
  }

  private placesFor({ flannelBackend }: K3sNetwork) {
    const { kubernetes } = this.parts.world.versions;
    return cniPathsOf('k3s', flannelBackend !== 'none', kubernetes);
  }

  private startParts(settings: K3sNetwork, adopted: boolean): void {
    const { node } = this.parts;
    const processes: Process[] = [];
    if (adopted) writeK3sFiles(node().files, settings, this.placesFor(settings));
    if (this.hasFlannel) {
      const host = this.hostFor('flannel', [], adopted);
      const [network = ''] = settings.clusterCidr.split(',');
      processes.push(
        runFlannel(host, () => ({
          network,
          backend: settings.flannelBackend === 'host-gw' ? 'host-gw' : 'vxlan',
          port: VXLAN_PORT,
          enforcesPolicies: settings.networkPolicy,
          policyRules: hasKubeRouterRules,
        })),
      );
    }
    if (settings.kubeProxy)
      processes.push(kubeProxy(this.hostFor('kube-proxy', this.proxyWords(), adopted)));
    if (settings.networkPolicy) processes.push(policyController(this.parts.world, node()));
    this.processes = processes;
  }

  private proxyWords(): readonly string[] {
    const args = k3sArgumentsIn(this.parts.words);
    const said = args === undefined ? undefined : k3sFlag(args, 'kube-proxy-arg');
    return said === undefined ? [] : [`--${said.replace(/^-+/, '')}`];
  }

  /** The argument that its node shows, with what its configuration adds (k3s:pkg/nodeconfig/nodeconfig.go@0ba4732). */
  private describe(): void {
    const { world, node, words } = this.parts;
    if (!this.isServer || words.length === 0) return;
    const [role = 'server', ...rest] = words;
    const said = JSON.stringify([role, ...configuredWords(node().files), ...rest]);
    world.store.update('Node', undefined, node().name, (object) =>
      object.metadata.annotations?.[NODE_ARGS] === said
        ? object
        : {
            ...object,
            metadata: {
              ...object.metadata,
              annotations: { ...object.metadata.annotations, [NODE_ARGS]: said },
            },
          },
    );
  }

  /** A part runs in the process itself, with its own way to the API server; it has no pod. */
  private hostFor(name: string, args: readonly string[], adopted: boolean): ProcessHost {
    const { world, node } = this.parts;
    const container: Container = {
      name,
      image: name,
      args: [...args],
      env: [
        { name: 'KUBERNETES_SERVICE_HOST', value: K3S_LOCAL_API.host },
        { name: 'KUBERNETES_SERVICE_PORT', value: String(K3S_LOCAL_API.port) },
      ],
    };
    const pod: PodObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'kube-system', name: `${this.unit}-of-${node().name}` },
      spec: { hostNetwork: true, nodeName: node().name, containers: [container] },
      status: { phase: 'Running' },
    };
    return {
      world,
      node: node(),
      pod,
      container,
      init: false,
      adopted,
      log: () => undefined,
      // Flannel that fails ends the whole process, and systemd starts it again (k3s:pkg/agent/flannel/setup.go@05f0cdf).
      exit: () => this.restart(),
      setReady: () => undefined,
      setLive: () => undefined,
    };
  }
}

/** Its rules stay when it ends (k3s:pkg/agent/netpol/netpol.go@0589157). */
function policyController(world: World, node: TwinNode): Process {
  const life = new Life(world.kernel);
  const network = networkOf(node);
  const { kubeRouterSyncMs: everyMs } = world.constants;
  keepPolicyRules(node, life, { write: writeKubeRouterRules, everyMs });
  network.setLeftPolicies(undefined);
  life.onEnd((reason) => {
    if (reason === 'power-lost') return;
    const local = world.store.podsOn(node.name).filter(({ spec }) => spec.hostNetwork !== true);
    network.setLeftPolicies(fabricOf(world).policies.frozen(local));
  });
  return life.asProcess();
}
