/**
 * What RKE2's servers deploy of the network: a chart for each selected one. The deploy controller deletes
 * the HelmChart of a manifest that is disabled, and the helm controller installs and uninstalls
 * (k3s:pkg/deploy/controller.go@0301210, helm-controller:pkg/controllers/chart/chart.go@21a911f).
 */
import { RKE2_CANAL, RKE2_CANAL_MANIFEST } from '../../knowledge/rke2.ts';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { NodeFiles, World } from '../world.ts';

const KINDS = [
  'CustomResourceDefinition',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'ConfigMap',
  'DaemonSet',
] as const;
const CHART = 'HelmChart';
const RELEASE = 'meta.helm.sh/release-name';

const charts = new WeakMap<World, Rke2Charts>();

export function rke2ChartsOf(world: World): Rke2Charts {
  let found = charts.get(world);
  if (found === undefined) charts.set(world, (found = new Rke2Charts(world)));
  return found;
}

class Rke2Charts {
  private readonly world: World;
  private readonly chart: KubeObject | undefined;
  /** Of the release, as they were when the cluster was read. */
  private readonly objects: readonly KubeObject[];
  /** Of the job that came last. */
  private jobs = 0;

  constructor(world: World) {
    this.world = world;
    const { store } = world;
    this.chart = store.get<string>(CHART, RKE2_CANAL.namespace, RKE2_CANAL.name);
    this.objects = KINDS.flatMap((kind) =>
      store.list<string>(kind).filter((object) => isOfCanal(object)),
    ).map(anew);
  }

  /** Of a server that was there when the cluster was read. */
  adopt(files: NodeFiles): void {
    if (this.objects.length > 0) files.write(RKE2_CANAL_MANIFEST, MANIFEST);
  }

  /** A server has started: what it does not deploy it takes away. */
  serverStarted(files: NodeFiles, cni: readonly string[]): void {
    const { kernel, constants } = this.world;
    const deploys = cni.includes('canal');
    if (deploys) files.write(RKE2_CANAL_MANIFEST, MANIFEST);
    kernel.after(constants.rke2DeployMs, () => {
      if (!deploys) files.remove(RKE2_CANAL_MANIFEST);
      this.setChart(deploys);
    });
  }

  private setChart(wanted: boolean): void {
    const { store, kernel, constants } = this.world;
    const { namespace, name } = RKE2_CANAL;
    const there = store.get<string>(CHART, namespace, name) !== undefined;
    if (wanted && !there && this.chart !== undefined) store.create(anew(this.chart));
    if (!wanted && there) store.remove(CHART, namespace, name);
    this.jobs += 1;
    const job = this.jobs;
    kernel.after(constants.helmJobMs, () => {
      if (job === this.jobs) this.setRelease(wanted);
    });
  }

  private setRelease(wanted: boolean): void {
    const { store } = this.world;
    for (const object of wanted ? this.objects : this.objects.toReversed()) {
      const { namespace, name } = object.metadata;
      const there = store.get<string>(object.kind, namespace, name) !== undefined;
      if (wanted && !there) store.create(object);
      if (!wanted && there) store.delete(object.kind, namespace, name);
    }
  }
}

/** What matters of it is that it is there; its text is RKE2's. */
const MANIFEST = `apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: ${RKE2_CANAL.name}, namespace: ${RKE2_CANAL.namespace}}\n`;

/** By what Helm writes on its objects; by their names where that was not read. */
function isOfCanal({ kind, metadata }: KubeObject): boolean {
  if (metadata.annotations?.[RELEASE] === RKE2_CANAL.name) return true;
  if (metadata.namespace !== RKE2_CANAL.namespace) return false;
  return (
    metadata.name.startsWith(RKE2_CANAL.name) ||
    (kind === 'ServiceAccount' && metadata.name === 'canal')
  );
}

/** As a manifest would have it. */
function anew(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object as KubeObject & { readonly status?: unknown };
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _at,
    generation: _generation,
    ...metadata
  } = rest.metadata;
  return { ...rest, metadata };
}
