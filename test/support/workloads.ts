/** Workload objects for tests, with no more in them than the test is about. */
import type {
  DaemonSetObject,
  DeploymentObject,
  PodDisruptionBudgetObject,
  PodObject,
  PodSpec,
  StatefulSetObject,
} from '../../src/model/kubernetes.ts';
import { isPodReady } from '../../src/twin/kubelet/pod-status.ts';
import type { World } from '../../src/twin/world.ts';
import { startControllers } from '../../src/twin/controllers/start-controllers.ts';
import { CONF_DIR, FLANNEL_CONF, type KubeletWorld, kubeletWorld } from './kubelet-world.ts';

export const WITH_FLANNEL = { [`${CONF_DIR}/10-flannel.conflist`]: FLANNEL_CONF };

const SPEC: PodSpec = { containers: [{ name: 'c', image: 'pause' }] };

export function deploymentOf(
  name: string,
  replicas: number,
  more: Partial<DeploymentObject['spec']> & { readonly pod?: Partial<PodSpec> } = {},
): DeploymentObject {
  const { pod = {}, ...spec } = more;
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...SPEC, ...pod } },
      ...spec,
    },
  };
}

export function daemonSetOf(
  name: string,
  more: Partial<DaemonSetObject['spec']> & { readonly pod?: Partial<PodSpec> } = {},
): DaemonSetObject {
  const { pod = {}, ...spec } = more;
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: 'default' },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { ...SPEC, ...pod } },
      ...spec,
    },
  };
}

export function statefulSetOf(
  name: string,
  replicas: number,
  more: Partial<StatefulSetObject['spec']> = {},
): StatefulSetObject {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: SPEC },
      ...more,
    },
  };
}

export function budgetOf(
  name: string,
  app: string,
  spec: Partial<PodDisruptionBudgetObject['spec']>,
): PodDisruptionBudgetObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: 'default' },
    spec: { selector: { matchLabels: { app } }, ...spec },
  };
}

export function podsOfApp(world: World, app: string): PodObject[] {
  return world.store.list('Pod').filter(({ metadata }) => metadata.labels?.['app'] === app);
}

export function readyPodsOfApp(world: World, app: string): PodObject[] {
  return podsOfApp(world, app).filter(
    (pod) => isPodReady(pod) && pod.metadata.deletionTimestamp === undefined,
  );
}

export function nodesOfApp(world: World, app: string): string[] {
  return podsOfApp(world, app)
    .map(({ spec }) => spec.nodeName ?? '-')
    .toSorted();
}

export function cordon(world: World, node: string, unschedulable: boolean): void {
  world.store.update('Node', undefined, node, (object) => ({
    ...object,
    spec: { ...object.spec, unschedulable },
  }));
}

/** `kubectl rollout restart`. */
export function rolloutRestart(
  world: World,
  kind: 'DaemonSet' | 'Deployment' | 'StatefulSet',
  name: string,
): void {
  world.store.update<'DaemonSet'>(
    // The three kinds are alike in what is changed here.
    kind as 'DaemonSet',
    'default',
    name,
    (object) => {
      const { template } = object.spec;
      const annotations = {
        ...template.metadata?.annotations,
        'kubectl.kubernetes.io/restartedAt': String(world.kernel.now()),
      };
      return {
        ...object,
        spec: {
          ...object.spec,
          template: { ...template, metadata: { ...template.metadata, annotations } },
        },
      };
    },
  );
}

/** Workers `w0`, `w1` … on Flannel, with all controllers. */
export function cluster(count: number): KubeletWorld {
  const nodes = Array.from({ length: count }, (_, index) => ({
    name: `w${index}`,
    files: WITH_FLANNEL,
  }));
  const world = kubeletWorld({ nodes });
  startControllers(world);
  world.run(1);
  return world;
}
