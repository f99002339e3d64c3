/**
 * A small cluster behind the ports, for tests of steps and engine: it does what a cluster does in a
 * migration (agents take the conf of labelled nodes, owners replace pods) in a few lines, and
 * nothing else. Time is a kernel's. The twin is the real thing; this is for cases it cannot be put in.
 */
import { RegaugeError } from '../../src/base/errors.ts';
import type { KubeObject, NodeObject, PodObject } from '../../src/model/kubernetes.ts';
import type { FailingPath, ObjectAddress, Ports } from '../../src/ports/index.ts';
import { Kernel } from '../../src/twin/kernel/kernel.ts';
import { unusedKubernetes } from './unused-kubernetes.ts';

const CONF_DIRECTORY = '/etc/cni/net.d';
const LABEL = 'io.cilium.migration/cilium-default';

export interface FakeOptions {
  readonly nodes: readonly string[];
  /** Deployments by name: the nodes their pods start on. */
  readonly deployments?: Readonly<Record<string, readonly string[]>>;
  /** Pods nobody owns: name to node. */
  readonly bare?: Readonly<Record<string, string>>;
  /** Says why an eviction of the pod is not allowed now. */
  readonly budget?: (pod: PodObject, now: number) => string | undefined;
  /** A write that fails the first times it is made. */
  readonly failing?: (what: string, times: number) => RegaugeError | undefined;
  readonly agentTakesConf?: boolean;
}

export class FakeCluster {
  readonly kernel = new Kernel(1);
  readonly objects = new Map<string, KubeObject>();
  readonly files = new Map<string, Map<string, string>>();
  readonly evictions: { readonly pod: string; readonly at: number }[] = [];
  readonly sandboxes: string[] = [];
  readonly configs = new Map<string, string>();
  failingPaths: readonly FailingPath[] = [];
  /** What the API server counts of answers with 401, which one it is, and since when it runs (ms). */
  refusals = 0;
  apiServer = 'api-1';
  apiServerSince = -3_600_000;
  readonly ports: Ports;
  private readonly options: FakeOptions;
  private readonly calls = new Map<string, number>();
  private uids = 0;

  constructor(options: FakeOptions) {
    this.options = options;
    for (const [index, name] of options.nodes.entries()) this.addNode(name, index);
    for (const [name, nodes] of Object.entries(options.deployments ?? {})) {
      this.put(replicaSet(name, nodes.length, nodes.length));
      for (const node of nodes) this.addPod(name, node);
    }
    for (const [name, node] of Object.entries(options.bare ?? {}))
      this.put(this.pod(name, node, undefined));
    this.ports = this.makePorts();
  }

  drive<T>(work: () => Promise<T>): Promise<T> {
    return this.kernel.drive(work);
  }

  pods(): PodObject[] {
    return [...this.objects.values()].filter(
      (object): object is PodObject => object.kind === 'Pod',
    );
  }

  node(name: string): NodeObject {
    const node = this.objects.get(`Node//${name}`);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node as NodeObject;
  }

  put(object: KubeObject): void {
    this.objects.set(keyOf(object.kind, object.metadata.namespace, object.metadata.name), object);
  }

  private addNode(name: string, index: number): void {
    this.put({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: {}, annotations: {} },
      spec: {},
      status: {
        addresses: [{ type: 'InternalIP', address: `10.0.0.${index + 1}` }],
        conditions: [{ type: 'Ready', status: 'True' }],
        nodeInfo: { bootID: `${name}-1` },
      },
    } as NodeObject);
    this.files.set(name, new Map([['10-flannel.conflist', '{"plugins":[{"type":"flannel"}]}']]));
    this.configs.set(name, 'cluster:\n  network:\n    cni:\n      name: flannel\n');
    this.addAgent(name);
  }

  private addAgent(node: string): void {
    const pod = this.pod(`cilium-${this.nextUid()}`, node, { kind: 'DaemonSet', name: 'cilium' });
    const agent: PodObject = {
      ...pod,
      metadata: { ...pod.metadata, namespace: 'kube-system', labels: { 'k8s-app': 'cilium' } },
      spec: { ...pod.spec, hostNetwork: true },
    };
    this.put(agent);
  }

  private addPod(deployment: string, node: string): void {
    this.put(
      this.pod(`${deployment}-${this.nextUid()}`, node, { kind: 'ReplicaSet', name: deployment }),
    );
  }

  private pod(
    name: string,
    node: string,
    owned: { kind: string; name: string } | undefined,
  ): PodObject {
    const uid = this.nextUid();
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: 'default',
        uid,
        labels: { app: owned?.name ?? name },
        ...(owned === undefined ? {} : { ownerReferences: [owner(owned.kind, owned.name)] }),
      },
      spec: { nodeName: node, containers: [] },
      status: {
        phase: 'Running',
        podIP: this.addressOn(node),
        conditions: [{ type: 'Ready', status: 'True' }],
      },
    };
  }

  private addressOn(node: string): string {
    const onCilium =
      [...(this.files.get(node)?.keys() ?? [])].toSorted()[0]?.startsWith('05-cilium') === true;
    return `${onCilium ? '10.245' : '10.244'}.0.${(this.uids % 250) + 1}`;
  }

  private nextUid(): string {
    this.uids += 1;
    return `uid-${this.uids}`;
  }

  private answer<T>(what: string, action: () => T): Promise<T> {
    return this.kernel.answer(4, () => {
      const times = (this.calls.get(what) ?? 0) + 1;
      this.calls.set(what, times);
      const error = this.options.failing?.(what, times);
      if (error !== undefined) throw error;
      return action();
    });
  }

  private evict(namespace: string, name: string) {
    const pod = this.objects.get(keyOf('Pod', namespace, name));
    if (pod === undefined) throw new RegaugeError('not-found', `pods "${name}" not found`);
    const refused = this.options.budget?.(pod as PodObject, this.kernel.now());
    if (refused !== undefined) return { evicted: false as const, message: refused };
    this.evictions.push({ pod: name, at: this.kernel.now() });
    this.removePod(pod as PodObject);
    return { evicted: true as const };
  }

  /** Gone after a second; the replacement is ready three seconds later, where a pod may go. */
  private removePod(pod: PodObject): void {
    const { namespace = 'default', name } = pod.metadata;
    this.put({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: 'now' } } as PodObject);
    const [by] = pod.metadata.ownerReferences ?? [];
    this.kernel.after(1_000, () => this.objects.delete(keyOf('Pod', namespace, name)));
    if (by?.kind === 'DaemonSet')
      this.kernel.after(5_000, () => this.agentStarts(pod.spec.nodeName ?? ''));
    if (by?.kind !== 'ReplicaSet') return;
    this.count(by.name, -1);
    this.kernel.after(4_000, () => {
      const open = this.options.nodes.find((node) => this.node(node).spec.unschedulable !== true);
      if (open === undefined) return;
      this.addPod(by.name, open);
      this.count(by.name, 1);
    });
  }

  private agentStarts(node: string): void {
    this.addAgent(node);
    const labelled = this.node(node).metadata.labels?.[LABEL] === 'true';
    if (!labelled || this.options.agentTakesConf === false) return;
    const files = this.files.get(node);
    files?.delete('10-flannel.conflist');
    files?.set('10-flannel.conflist.cilium_bak', '{"plugins":[{"type":"flannel"}]}');
    files?.set('05-cilium.conflist', '{"plugins":[{"type":"cilium-cni"}]}');
  }

  private count(name: string, by: number): void {
    const set = this.objects.get(keyOf('ReplicaSet', 'default', name)) as ReturnType<
      typeof replicaSet
    >;
    this.put({ ...set, status: { readyReplicas: set.status.readyReplicas + by } } as KubeObject);
  }

  private makePorts(): Ports {
    const host = <T>(
      what: string,
      node: string,
      action: (files: Map<string, string>) => T,
    ): Promise<T> =>
      this.answer(`${what} ${node}`, () =>
        action(this.files.get(node) ?? new Map<string, string>()),
      );
    const find = ({ kind, namespace, name }: ObjectAddress) =>
      this.objects.get(keyOf(kind, namespace, name));
    return {
      clock: {
        now: () => this.kernel.now(),
        sleep: (ms) => this.kernel.answer(ms, () => undefined),
      },
      kubernetes: {
        ...unusedKubernetes(),
        authenticationFailures: () =>
          this.answer('authenticationFailures', () => ({
            server: this.apiServer,
            count: this.refusals,
            uptimeMs: this.kernel.now() - this.apiServerSince,
          })),
        get: <T extends KubeObject>(address: ObjectAddress) =>
          this.answer(`get ${address.kind} ${address.name}`, () => find(address) as T | undefined),
        list: <T extends KubeObject>(
          _version: string,
          kind: string,
          options: {
            nodeName?: string;
            namespace?: string;
            labelSelector?: Readonly<Record<string, string>>;
          } = {},
        ) =>
          this.answer(
            `list ${kind}`,
            () =>
              [...this.objects.values()].filter((object) =>
                listed(object, kind, options),
              ) as unknown as readonly T[],
          ),
        apply: <T extends KubeObject>(object: T) =>
          this.answer(`apply ${object.kind}`, () => (this.put(object), object)),
        patch: <T extends KubeObject>(
          address: ObjectAddress,
          patch: Readonly<Record<string, unknown>>,
        ) =>
          this.answer(`patch ${address.kind} ${address.name}`, () => {
            const old = find(address);
            if (old === undefined)
              throw new RegaugeError('not-found', `${address.kind} ${address.name} not found`);
            const merged = merge(old, patch) as T;
            this.put(merged);
            return merged;
          }),
        delete: (address) =>
          this.answer(`delete ${address.kind}`, () => {
            const object = find(address);
            if (object?.kind === 'Pod') this.removePod(object as PodObject);
            else this.objects.delete(keyOf(address.kind, address.namespace, address.name));
          }),
        evict: (namespace, pod) => this.answer(`evict ${pod}`, () => this.evict(namespace, pod)),
      },
      nodeHost: {
        list: (node, directory) =>
          host('list', node, (files) =>
            directory === CONF_DIRECTORY ? [...files.keys()] : ['flannel', 'cilium-cni'],
          ),
        read: (node, path) => host('read', node, (files) => files.get(base(path))),
        write: (node, path, content) =>
          host('write', node, (files) => void files.set(base(path), content)),
        remove: (node, path) => host('remove', node, (files) => void files.delete(base(path))),
        rename: (node, from, to) =>
          host('rename', node, (files) => {
            files.set(base(to), files.get(base(from)) ?? '');
            files.delete(base(from));
          }),
        machineConfig: (node) => host('config', node, () => this.configs.get(node) ?? ''),
        patchMachineConfig: (node, patch) =>
          host('patch', node, () => void this.configs.set(node, patch)),
        reboot: (node) =>
          host('reboot', node, () => {
            const old = this.node(node);
            this.kernel.after(60_000, () => {
              this.put({
                ...old,
                status: { ...old.status, nodeInfo: { bootID: `${node}-2` } },
              } as NodeObject);
              for (const pod of this.pods().filter(
                (each) => each.spec.nodeName === node && each.spec.hostNetwork !== true,
              ))
                this.readdress(pod);
            });
          }),
        upgrade: () => Promise.reject(new Error('not here')),
        restartService: () => Promise.resolve(),
        links: () => Promise.resolve([]),
        removeLink: () => Promise.resolve(),
        cleanKubeProxyRules: () => Promise.resolve(),
        leftRules: () => Promise.resolve([]),
        removeLeftRules: () => Promise.resolve(),
        restartSandbox: (node, namespace, name) =>
          host('sandbox', node, () => {
            this.sandboxes.push(name);
            const pod = this.objects.get(keyOf('Pod', namespace, name));
            if (pod !== undefined) this.kernel.after(2_000, () => this.readdress(pod as PodObject));
          }),
        etcdMembers: () =>
          Promise.resolve(
            this.options.nodes.map((node, index) => ({
              node,
              healthy: true,
              learner: false,
              leader: index === 0,
            })),
          ),
      },
      helm: {
        status: () => Promise.resolve(undefined),
        history: () => Promise.resolve([]),
        manifest: () => Promise.reject(new RegaugeError('not-found', 'release: not found')),
        template: () => Promise.reject(new RegaugeError('refused', 'Error: execution error')),
        repair: () => Promise.resolve(undefined),
        upgradeOrInstall: () =>
          Promise.reject(new RegaugeError('refused', 'Error: execution error')),
        uninstall: () => Promise.resolve(),
        rollback: () => Promise.reject(new Error('not here')),
      },
      prober: {
        start: () => Promise.resolve(),
        failing: () => this.answer('failing', () => this.failingPaths),
        observations: () => Promise.resolve([]),
        stop: () => Promise.resolve(),
      },
    };
  }

  private readdress(pod: PodObject): void {
    this.nextUid();
    this.put({
      ...pod,
      status: { ...pod.status, podIP: this.addressOn(pod.spec.nodeName ?? '') },
    } as PodObject);
  }
}

function base(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function keyOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind}/${namespace ?? ''}/${name}`;
}

function owner(kind: string, name: string) {
  return { apiVersion: 'apps/v1', kind, name, uid: `${kind}-${name}`, controller: true };
}

function replicaSet(name: string, replicas: number, readyReplicas: number) {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, namespace: 'default', uid: `ReplicaSet-${name}` },
    spec: { replicas },
    status: { readyReplicas },
  };
}

function listed(
  object: KubeObject,
  kind: string,
  {
    nodeName,
    namespace,
    labelSelector = {},
  }: { nodeName?: string; namespace?: string; labelSelector?: Readonly<Record<string, string>> },
): boolean {
  if (object.kind !== kind) return false;
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
  if (nodeName !== undefined && (object as PodObject).spec.nodeName !== nodeName) return false;
  return Object.entries(labelSelector).every(
    ([key, value]) => object.metadata.labels?.[key] === value,
  );
}

/** JSON merge patch. */
function merge(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const base =
    target !== null && typeof target === 'object' && !Array.isArray(target) ? target : {};
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  }
  return result;
}
