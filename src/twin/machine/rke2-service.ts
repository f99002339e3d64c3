/**
 * RKE2 on a node: it starts containerd and the kubelet, and on a server deploys charts. The control plane
 * are static pods, which run on when it restarts (rke2-server.service, KillMode=process); kube-proxy is one
 * too, and its manifest goes with every start until the API server answers (rke2:pkg/executor/staticpod@6ce1a80).
 */
import { k3sArgumentsIn } from '../../knowledge/k3s.ts';
import {
  RKE2_CONFIG,
  RKE2_CONFIG_DIRECTORY,
  RKE2_LOCAL_API,
  RKE2_PROXY_MANIFEST,
  type Rke2Network,
  rke2Arguments,
  rke2Network,
} from '../../knowledge/rke2.ts';
import type { NodeObject, PodObject } from '../../model/kubernetes.ts';
import type { NodeFiles, World } from '../world.ts';
import { configuredWords } from './k3s-files.ts';
import { type MachineHost, restorePower } from './power.ts';
import { rke2ChartsOf } from './rke2-charts.ts';
import type { UnitService } from './unit-service.ts';

const DEFAULTS: Rke2Network = { cni: ['canal'], kubeProxy: true };

export class Rke2Service implements UnitService {
  readonly running = true;
  readonly hasFlannel = false;
  readonly localApiPort = RKE2_LOCAL_API.port;
  readonly unit: string;
  private readonly world: World;
  private readonly host: MachineHost;
  private readonly isServer: boolean;
  /** Of all servers of the cluster; an agent asks one when it starts. */
  private readonly servers: readonly Rke2Service[];
  private readonly words: readonly string[];
  private told: Rke2Network;
  private proxy: PodObject | undefined;
  private starts = 0;

  /** `proxy`: of a machine that is new; else the pod that runs there. */
  constructor(
    host: MachineHost,
    node: NodeObject,
    servers: readonly Rke2Service[],
    proxy?: PodObject,
  ) {
    const args = rke2Arguments(node);
    this.world = host.world;
    this.host = host;
    this.isServer = isServer(node);
    this.unit = this.isServer ? 'rke2-server' : 'rke2-agent';
    this.servers = servers;
    this.words = args === undefined ? [] : [...args.flags].flatMap(asWords);
    this.told = args?.role === 'server' ? rke2Network(args) : DEFAULTS;
    this.proxy =
      proxy ?? this.world.store.get('Pod', 'kube-system', `kube-proxy-${node.metadata.name}`);
  }

  /** It has been running for long. */
  adopt(files: NodeFiles): void {
    if (this.proxy !== undefined) files.write(RKE2_PROXY_MANIFEST, PROXY);
    if (this.isServer) rke2ChartsOf(this.world).adopt(files);
  }

  start(): void {
    restorePower(this.host);
    this.starting();
  }

  restart(): void {
    const { runtime, kubelet } = this.host.node();
    runtime.restart();
    kubelet.restart();
    this.starting();
  }

  powerLost(): void {
    this.starts += 1;
  }

  private starting(): void {
    const { world, host } = this;
    this.starts += 1;
    const { starts } = this;
    host.node().files.remove(RKE2_PROXY_MANIFEST);
    world.kernel.after(world.constants.rke2StartMs, () => {
      if (starts === this.starts) this.whenAnswered(() => this.started(starts));
    });
  }

  private whenAnswered(action: () => void): void {
    const { api } = this.world;
    if (api.whenHealthy === undefined) action();
    else api.whenHealthy(action);
  }

  private started(starts: number): void {
    if (starts !== this.starts) return;
    const { files, kubelet } = this.host.node();
    if (this.isServer) {
      const args = k3sArgumentsIn(['server', ...this.words, ...this.configured()]);
      this.told = args === undefined ? DEFAULTS : rke2Network(args);
      rke2ChartsOf(this.world).serverStarted(files, this.told.cni);
    } else this.told = this.servers[0]?.told ?? DEFAULTS;
    const { store, kernel, constants } = this.world;
    const { namespace, name } = this.proxy?.metadata ?? {};
    const running = name === undefined ? undefined : store.get('Pod', namespace, name);
    // The kubelet found no manifest of it when it started.
    if (running !== undefined) kubelet.endStatic?.(running.metadata.uid ?? '');
    if (!this.told.kubeProxy || this.proxy === undefined) return;
    files.write(RKE2_PROXY_MANIFEST, PROXY);
    kernel.after(constants.rke2StartMs, () => {
      if (starts === this.starts) this.startProxy();
    });
  }

  private startProxy(): void {
    const { store } = this.world;
    const { proxy } = this;
    if (proxy === undefined) return;
    const { namespace, name, labels = {}, annotations = {}, ownerReferences = [] } = proxy.metadata;
    if (store.get('Pod', namespace, name) !== undefined) return;
    const metadata = { namespace: namespace ?? '', name, labels, annotations, ownerReferences };
    store.create({ ...proxy, metadata, status: { phase: 'Pending' } });
  }

  /** What its files say: of one key, the last of them. */
  private configured(): readonly string[] {
    const places = { config: RKE2_CONFIG, directory: RKE2_CONFIG_DIRECTORY };
    return configuredWords(this.host.node().files, places);
  }
}

const PROXY = 'apiVersion: v1\nkind: Pod\nmetadata: {name: kube-proxy, namespace: kube-system}\n';

function isServer({ metadata }: NodeObject): boolean {
  return metadata.labels?.['node-role.kubernetes.io/control-plane'] !== undefined;
}

function asWords([flag, values]: readonly [string, readonly string[]]): readonly string[] {
  return values.flatMap((value) => [`--${flag}`, value]);
}
