/**
 * A GitOps reconciler: puts objects that carry its mark back to what Git says, which is what they were
 * when it started. Argo CD does so seconds after a change when self-heal is on, Flux at its next
 * interval (failure-domains.md 2.7). Suspension is honoured; what was never theirs is left alone.
 */
import type { ConstantName } from '../constants.ts';
import { type KubeObject, objectKey } from '../../model/kubernetes.ts';
import type { Change } from '../store/object-store.ts';
import type { Process, ProcessHost, Program, World } from '../world.ts';
import { hubOf } from './hub.ts';
import { whenLeading } from './leadership.ts';
import { Life } from './life.ts';

interface Reconciler {
  readonly name: string;
  /** How soon after a difference it puts things back. */
  readonly delay: ConstantName;
  /** The application that owns the object, as `Kind namespace/name`; undefined when none does. */
  ownerOf(
    object: KubeObject,
  ): { readonly kind: string; readonly namespace: string; readonly name: string } | undefined;
  isSuspended(owner: KubeObject | undefined, object: KubeObject): boolean;
}

/** What a CNI change writes and a repository may hold. */
const KINDS = [
  'ConfigMap',
  'DaemonSet',
  'Deployment',
  'ServiceAccount',
  'CiliumNodeConfig',
  'NetworkPolicy',
] as const;

type Fields = Readonly<Record<string, unknown>>;

const ARGO: Reconciler = {
  name: 'argocd',
  delay: 'argoSelfHealMs',
  ownerOf: ({ metadata }) => {
    const tracking = metadata.annotations?.['argocd.argoproj.io/tracking-id'];
    const name = tracking?.split(':')[0] ?? metadata.labels?.['argocd.argoproj.io/instance'];
    return name === undefined ? undefined : { kind: 'Application', namespace: 'argocd', name };
  },
  isSuspended: (owner) => {
    if (owner === undefined) return false;
    if (owner.metadata.annotations?.['argocd.argoproj.io/skip-reconcile'] === 'true') return true;
    const automated = field(field(field(owner, 'spec'), 'syncPolicy'), 'automated');
    return field(automated, 'selfHeal') !== true;
  },
};

const FLUX: Reconciler = {
  name: 'flux',
  delay: 'fluxIntervalMs',
  ownerOf: ({ metadata }) => {
    const { labels = {} } = metadata;
    const name = labels['kustomize.toolkit.fluxcd.io/name'];
    const namespace = labels['kustomize.toolkit.fluxcd.io/namespace'] ?? 'flux-system';
    return name === undefined ? undefined : { kind: 'Kustomization', namespace, name };
  },
  isSuspended: (owner, { metadata }) => {
    const marks = { ...metadata.labels, ...metadata.annotations };
    if (marks['kustomize.toolkit.fluxcd.io/reconcile'] === 'disabled') return true;
    return field(field(owner, 'spec'), 'suspend') === true;
  },
};

export const argoCd = reconcilerProgram(ARGO);
export const flux = reconcilerProgram(FLUX);

function reconcilerProgram(reconciler: Reconciler): Program {
  return (host: ProcessHost): Process => {
    const life = new Life(host.world.kernel);
    const start = (): void => {
      host.setReady(true);
      whenLeading(host.world, reconciler.name, life, () => reconcile(host.world, life, reconciler));
    };
    if (host.adopted === true) start();
    else life.after(host.world.constants.appReadyMs, start);
    return life.asProcess();
  };
}

/** What Git holds does not change by itself: the first that leads remembers it for all later ones. */
const repositories = new WeakMap<World, Map<string, KubeObject>>();

function reconcile(world: World, life: Life, reconciler: Reconciler): void {
  let desired = repositories.get(world);
  if (desired === undefined) {
    desired = new Map();
    repositories.set(world, desired);
    for (const kind of KINDS) {
      for (const object of world.store.list<string>(kind))
        desired.set(`${kind} ${objectKey(object)}`, object);
    }
  }
  const known = desired;
  const due = new Set<string>();
  const consider = ({ object }: Change): void => {
    const key = `${object.kind} ${objectKey(object)}`;
    const wanted = known.get(key);
    if (wanted === undefined || due.has(key) || reconciler.ownerOf(wanted) === undefined) return;
    if (!differs(world, wanted)) return;
    due.add(key);
    life.after(world.constants[reconciler.delay], () => {
      due.delete(key);
      putBack(world, reconciler, wanted);
    });
  };
  for (const kind of KINDS) life.onEnd(hubOf(world).follow<string>(kind, 'all', consider));
}

function putBack(world: World, reconciler: Reconciler, wanted: KubeObject): void {
  const owner = reconciler.ownerOf(wanted);
  if (owner === undefined || !differs(world, wanted)) return;
  const { store, kernel } = world;
  const application: KubeObject | undefined = store.get<string>(
    owner.kind,
    owner.namespace,
    owner.name,
  );
  const { namespace, name } = wanted.metadata;
  const live: KubeObject | undefined = store.get<string>(wanted.kind, namespace, name);
  if (reconciler.isSuspended(application, live ?? wanted)) return;
  kernel.occur('gitops.reverted', {
    subject: { kind: wanted.kind, namespace: namespace ?? '', name },
    message: `${reconciler.name} ${owner.kind} ${owner.name} put ${wanted.kind} ${objectKey(wanted)} back`,
  });
  if (live === undefined) {
    const { uid: _uid, resourceVersion: _version, ...metadata } = wanted.metadata;
    store.create({ ...wanted, metadata });
    return;
  }
  store.update<string>(wanted.kind, namespace, name, (object) => ({
    ...object,
    ...contentOf(wanted),
  }));
}

function differs(world: World, wanted: KubeObject): boolean {
  const live: KubeObject | undefined = world.store.get<string>(
    wanted.kind,
    wanted.metadata.namespace,
    wanted.metadata.name,
  );
  if (live === undefined) return true;
  const now = contentOf(live);
  return Object.entries(contentOf(wanted)).some(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(now[key]),
  );
}

/** What a repository says of an object: its specification or data, not its status. */
function contentOf(object: KubeObject): Fields {
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...rest } = object;
  const fields: Fields = rest;
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== 'status'));
}

function field(value: unknown, key: string): unknown {
  if (value === null || typeof value !== 'object') return undefined;
  return (value as Fields)[key]; // a plain object of the store
}
