/**
 * longhorn-manager of one node: keeps an instance manager there (a bare pod, so nobody else makes it
 * again) and a budget over it, which goes only when the node is cordoned and holds nothing that must
 * stay (node-drain-policy; failure-domains.md 2.5).
 */
import { present } from '../../../base/assert.ts';
import type { KubeObject, PodObject } from '../../../model/kubernetes.ts';
import type { Process, ProcessHost } from '../../world.ts';
import { apiAccess } from '../api-access.ts';
import { hubOf } from '../hub.ts';
import { Life } from '../life.ts';
import { startWhen } from '../start-when.ts';
import {
  COMPONENT_LABEL,
  instanceManagerOn,
  LONGHORN_NAMESPACE,
  setting,
  volumeNamed,
} from './longhorn-objects.ts';
import { volumeHealthOf } from './volume-health.ts';

export function longhornManager(host: ProcessHost): Process {
  const life = new Life(host.world.kernel);
  const serve = (): void => {
    host.setReady(true);
    manage(host, life);
  };
  startWhen(host, life, () => apiAccess(host).ok, serve);
  return life.asProcess();
}

function manage(host: ProcessHost, life: Life): void {
  const { world, node } = host;
  const hub = hubOf(world);
  let waiting = false;
  const ensurePod = (): void => {
    if (waiting || isAlive(instanceManagerOn(world, node.name))) return;
    waiting = true;
    life.after(world.constants.longhornManagerNoticeMs, () => {
      waiting = false;
      makeInstanceManager(host);
    });
  };
  const ensureBudget = (): void => keepBudget(host);
  ensurePod();
  ensureBudget();
  life.onEnd(
    hub.follow('Pod', { label: 'longhorn.io/component=instance-manager' }, ({ object }) => {
      if (object.spec.nodeName === node.name) ensurePod();
    }),
  );
  life.onEnd(hub.follow('Node', { name: node.name }, ensureBudget));
  life.onEnd(volumeHealthOf(world).followNode(node.name, ensureBudget));
}

/** A pod that ended, or that is on its way out, hosts nothing. */
function isAlive(pod: PodObject | undefined): boolean {
  return pod !== undefined && pod.status.phase !== 'Failed' && pod.status.phase !== 'Succeeded';
}

function nameOn(host: ProcessHost): string {
  const labelled = host.world.store
    .list<string>('InstanceManager', LONGHORN_NAMESPACE)
    .map((object) => object as KubeObject & { readonly spec?: { readonly nodeID?: string } }) // Longhorn's own shape
    .find(({ spec }) => spec?.nodeID === host.node.name);
  return labelled?.metadata.name ?? `instance-manager-${host.node.name}`;
}

function makeInstanceManager(host: ProcessHost): void {
  const { world, node } = host;
  const old = instanceManagerOn(world, node.name);
  if (isAlive(old)) return;
  if (old !== undefined) world.store.remove('Pod', old.metadata.namespace, old.metadata.name);
  const name = nameOn(host);
  if (world.store.get('Pod', LONGHORN_NAMESPACE, name) !== undefined) return;
  const owner = instanceManagerResource(host, name);
  world.store.create<PodObject>({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: LONGHORN_NAMESPACE,
      labels: {
        [COMPONENT_LABEL]: 'instance-manager',
        'longhorn.io/node': node.name,
        'longhorn.io/instance-manager-type': 'aio',
      },
      ownerReferences: [
        {
          apiVersion: owner.apiVersion,
          kind: owner.kind,
          name,
          uid: present(owner.metadata.uid, 'uid of a stored object'),
          controller: true,
        },
      ],
    },
    spec: {
      nodeName: node.name,
      restartPolicy: 'Never',
      serviceAccountName: host.pod.spec.serviceAccountName ?? 'longhorn-service-account',
      priorityClassName: 'longhorn-critical',
      tolerations: LIFETIME,
      containers: [{ name: 'instance-manager', image: imageBeside(host) }],
    },
    status: { phase: 'Pending' },
  });
}

/** The default NoExecute tolerations of a pod without its own (KK DefaultTolerationSeconds). */
const LIFETIME = (['not-ready', 'unreachable'] as const).map((state) => ({
  key: `node.kubernetes.io/${state}`,
  operator: 'Exists' as const,
  effect: 'NoExecute',
  tolerationSeconds: 300,
}));

function imageBeside({ container }: ProcessHost): string {
  return (container.image ?? 'longhornio/longhorn-manager').replace(
    'longhorn-manager',
    'longhorn-instance-manager',
  );
}

function instanceManagerResource(host: ProcessHost, name: string): KubeObject {
  const { store } = host.world;
  const known: KubeObject | undefined = store.get<string>(
    'InstanceManager',
    LONGHORN_NAMESPACE,
    name,
  );
  if (known !== undefined) return known;
  const object = {
    apiVersion: 'longhorn.io/v1beta2',
    kind: 'InstanceManager',
    metadata: { name, namespace: LONGHORN_NAMESPACE },
    spec: { nodeID: host.node.name, type: 'aio', dataEngine: 'v1' },
  };
  return store.create<KubeObject>(object);
}

function keepBudget(host: ProcessHost): void {
  const { store } = host.world;
  const name = nameOn(host);
  const exists = store.get('PodDisruptionBudget', LONGHORN_NAMESPACE, name) !== undefined;
  const wanted = mustStay(host);
  if (exists && !wanted) store.remove('PodDisruptionBudget', LONGHORN_NAMESPACE, name);
  if (exists || !wanted) return;
  const matchLabels = { [COMPONENT_LABEL]: 'instance-manager', 'longhorn.io/node': host.node.name };
  store.create({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: LONGHORN_NAMESPACE },
    spec: { minAvailable: 1, selector: { matchLabels } },
  } as KubeObject);
}

/** Without a cordon always; with one, while an engine runs here or a last healthy copy lies here. */
function mustStay({ world, node }: ProcessHost): boolean {
  if (world.store.get('Node', undefined, node.name)?.spec.unschedulable !== true) return true;
  const policy = setting(world, 'node-drain-policy') ?? 'block-if-contains-last-replica';
  const health = volumeHealthOf(world);
  return health.volumesOn(node.name).some((name) => {
    const status = volumeNamed(world, name)?.status;
    if (status?.state === 'attached' && status.currentNodeID === node.name) return true;
    if (policy !== 'block-if-contains-last-replica') return false;
    const holders = health.replicaNodes(name);
    return holders.length === 1 && holders[0] === node.name;
  });
}
