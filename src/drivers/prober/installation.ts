/** The probes' objects in the cluster: applied with what the cluster tells of itself, and removed. */
import { RegaugeError } from '../../base/errors.ts';
import {
  CLOSED_NAME,
  closedPod,
  configObject,
  daemonSet,
  isProbePod,
  PROBE_NAMESPACE,
  PROBE_PORT,
  probeObjects,
  SERVICE_PORT,
  serviceObject,
} from '../../knowledge/probes/objects.ts';
import type { KubeObject, NodeObject, PodObject, ServiceObject } from '../../model/kubernetes.ts';
import type { HostPort, ProbeConfig } from '../../model/probe.ts';
import type { ClockPort, KubernetesPort } from '../../ports/index.ts';
import { makeOwnNamespace, removeOwnNamespace } from '../kubernetes/own-namespace.ts';

/** As the Cilium CLI's connectivity test: `--external-ip` (cilium-cli:connectivity/check/check.go). */
const DEFAULT_EGRESS = '1.1.1.1:443';
const DEFAULT_EXTERNAL_NAME = 'kubernetes.io';
const LOOK_MS = 1_000;
/** An image may have to be pulled. */
const CLOSED_POD_MS = 120_000;
/** Whose namespace it is: only who made it takes it away. */
const MADE_BY_PROBES = 'probes';

export interface InstallationSettings {
  readonly kubernetes: KubernetesPort;
  readonly clock: ClockPort;
  readonly agentScript: string;
  readonly image?: string;
  readonly egress?: string;
  readonly externalName?: string;
  /** The pod that a policy can close is made with the others. */
  readonly closedPod?: boolean;
}

export class Installation {
  private readonly settings: InstallationSettings;
  private config: ProbeConfig | undefined;

  constructor(settings: InstallationSettings) {
    this.settings = settings;
  }

  /** Applies all objects; the nodes that agents are expected on. */
  async install(signal: AbortSignal): Promise<readonly string[]> {
    const { kubernetes, clock, agentScript, image } = this.settings;
    const nodes = (await kubernetes.list<NodeObject>('v1', 'Node')).filter(runsLinux);
    if (nodes.length === 0) throw new RegaugeError('refused', 'the cluster has no Linux nodes');
    const egress = hostPortOf(this.settings.egress ?? DEFAULT_EGRESS);
    await makeOwnNamespace(kubernetes, MADE_BY_PROBES, () => clock.sleep(LOOK_MS));
    const service = await this.apply(serviceObject());
    this.config = {
      version: 1,
      port: PROBE_PORT,
      nodes: nodes.flatMap(memberOf),
      service: await this.serviceOf(service),
      apiServer: await this.apiServer(),
      egress,
      externalName: this.settings.externalName ?? DEFAULT_EXTERNAL_NAME,
    };
    await this.applyConfig(this.config);
    if (this.settings.closedPod === true) await this.addClosedPod(signal);
    const own = { agentScript, ...(image === undefined ? {} : { image }) };
    for (const end of ['pod', 'host'] as const) {
      if (!signal.aborted) await this.apply(daemonSet(end, own));
    }
    return nodes.map(({ metadata }) => metadata.name);
  }

  /** A node that came later; agents hear of it when the kubelet has written the ConfigMap anew. */
  async addNode(name: string): Promise<void> {
    const { config } = this;
    if (config === undefined || config.nodes.some((node) => node.name === name)) return;
    const node = await this.settings.kubernetes.get<NodeObject>({
      apiVersion: 'v1',
      kind: 'Node',
      name,
    });
    if (node === undefined) return;
    this.config = { ...config, nodes: [...config.nodes, ...memberOf(node)] };
    await this.applyConfig(this.config);
  }

  /** Agents hear of it as they hear of nodes. Once it is there, it stays where it is. */
  async addClosedPod(signal: AbortSignal): Promise<void> {
    const { config } = this;
    if (config === undefined || config.closed !== undefined) return;
    const closed = await this.makeClosedPod(signal);
    if (closed === undefined || this.config === undefined) return;
    this.config = { ...this.config, closed };
    await this.applyConfig(this.config);
  }

  async remove(): Promise<void> {
    const { kubernetes } = this.settings;
    for (const { apiVersion, kind, metadata } of [...probeObjects(), closedPod()].toReversed()) {
      if (kind === 'Namespace') continue;
      const { namespace, name } = metadata;
      const address = { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
      await kubernetes.delete(address, { propagationPolicy: 'Background' });
    }
    await removeOwnNamespace(kubernetes, MADE_BY_PROBES, isOwn);
  }

  /** Where it is; agents are told from their start on. Undefined when it does not come up. */
  private async makeClosedPod(signal: AbortSignal): Promise<HostPort | undefined> {
    const { kubernetes, clock, image } = this.settings;
    await this.apply(closedPod(image));
    const address = {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: PROBE_NAMESPACE,
      name: CLOSED_NAME,
    };
    const deadline = clock.now() + CLOSED_POD_MS;
    while (!signal.aborted && clock.now() < deadline) {
      const pod = await kubernetes.get<PodObject>(address);
      const isRunning = pod?.status.containerStatuses?.[0]?.state?.running !== undefined;
      if (isRunning && pod.status.podIP !== undefined)
        return { host: pod.status.podIP, port: PROBE_PORT };
      await clock.sleep(LOOK_MS);
    }
    return undefined;
  }

  private applyConfig(config: ProbeConfig): Promise<KubeObject> {
    return this.apply(configObject({ agentScript: this.settings.agentScript, config }));
  }

  private apply(object: KubeObject): Promise<KubeObject> {
    return this.settings.kubernetes.apply(object, { force: true });
  }

  private async serviceOf(applied: KubeObject): Promise<ProbeConfig['service']> {
    const { kubernetes } = this.settings;
    const { namespace = '', name } = applied.metadata;
    const service = await kubernetes.get<ServiceObject>({
      apiVersion: 'v1',
      kind: 'Service',
      namespace,
      name,
    });
    const host = service?.spec.clusterIP;
    if (host === undefined || host === '') return null;
    const nodePort = service?.spec.ports?.[0]?.nodePort ?? null;
    return { host, port: SERVICE_PORT, nodePort };
  }

  private async apiServer(): Promise<HostPort | null> {
    const service = await this.settings.kubernetes.get<ServiceObject>({
      apiVersion: 'v1',
      kind: 'Service',
      namespace: 'default',
      name: 'kubernetes',
    });
    const host = service?.spec.clusterIP;
    return host === undefined ? null : { host, port: service?.spec.ports?.[0]?.port ?? 443 };
  }
}

/** Unlabelled ones are taken for Linux. */
function runsLinux({ metadata }: NodeObject): boolean {
  return (metadata.labels?.['kubernetes.io/os'] ?? 'linux') === 'linux';
}

function memberOf({ metadata, status }: NodeObject): readonly { name: string; address: string }[] {
  const own = status.addresses?.find(({ type }) => type === 'InternalIP');
  return own === undefined ? [] : [{ name: metadata.name, address: own.address }];
}

/** `none`, or an address or name and a port. */
function hostPortOf(text: string): HostPort | null {
  if (text === 'none') return null;
  const parts = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text);
  if (parts?.[1] === undefined) {
    throw new RegaugeError('usage', `${text} is no host and port, as 1.1.1.1:443 is`, {
      hint: 'Or none, for a cluster that reaches nothing outside.',
    });
  }
  return { host: parts[1], port: Number(parts[2]) };
}

/** Pods of our own sets go with them. */
function isOwn(object: KubeObject): boolean {
  return object.kind === 'Pod' && isProbePod(object);
}
