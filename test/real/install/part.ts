/**
 * Into a real API server: the twin's objects, every minor's chart with the values regauge plans, and
 * Cilium itself by Helm; then regauge reads the cluster back.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ensureBuilt } from '../../../scripts/prepare.mjs';
import {
  nodeConfigApiVersion,
  servedNodeConfigVersions,
} from '../../../src/knowledge/cilium-versions.ts';
import type { KubeObject, NodeObject } from '../../../src/model/kubernetes.ts';
import { nodeConfig } from '../../../src/planner/node-config.ts';
import { homeLab } from '../../support/snapshots.ts';
import { startControlPlane } from '../api/part.ts';
import { Helm, type RealChart, type Values } from '../charts/helm.ts';
import { type Charts, obtainCharts } from '../charts/obtain.ts';
import { obtainHelm } from '../charts/part.ts';
import { releasesFor } from '../charts/plans.ts';
import { valuesOf } from '../charts/cases.ts';
import type { Lane, Part } from '../lane.ts';
import { asWritten, RealCluster } from './real-cluster.ts';
import { judgeTwinObjects } from './twin-objects.ts';

export const INSTALL: Part = {
  name: 'install',
  about: 'objects of the twin, charts and Cilium by Helm, into a real API server',
  run: install,
};

/** The release that is installed for good. */
const INSTALLED = '1.18.11';
const IN_CHARTS = ['--namespace', 'kube-system'];

async function install(lane: Lane): Promise<void> {
  ensureBuilt();
  const helm = obtainHelm(lane.cache);
  const charts = obtainCharts(lane.cache, (what, why) => lane.skip(what, why));
  const plane = await startControlPlane(lane);
  const binaries = { kubectl: plane.software.kubectl, helm };
  const cluster = new RealCluster(binaries, plane.kubeconfig, plane.directory);
  await judgeTwinObjects(lane, cluster);
  await judgeCharts(lane, cluster, new Helm(helm), charts);
  await cluster.kubectl(['delete', 'namespace', 'cilium-secrets']);
  await judgeNodeConfigs(lane, cluster, charts);
  await installCilium(lane, cluster, charts);
}

/** What regauge plans is not only rendered: a server takes every object of it. */
async function judgeCharts(
  lane: Lane,
  cluster: RealCluster,
  helm: Helm,
  { minors }: Charts,
): Promise<void> {
  // A namespace that later charts render themselves; what is only judged does not make it.
  const metadata = { name: 'cilium-secrets' };
  await cluster.create([{ apiVersion: 'v1', kind: 'Namespace', metadata }]);
  for (const chart of minors) {
    for (const [phase, values] of Object.entries(planned(chart.version))) {
      await lane.check(`chart ${chart.version}: a server takes what ${phase} renders`, async () => {
        const { code, stderr } = await cluster.judge(await rendered(helm, chart, values));
        if (code !== 0) throw new Error(stderr);
      });
    }
    if (chart.version.startsWith('1.14.') || chart.version.startsWith('1.15.')) {
      await lane.check(`chart ${chart.version}: a server refuses capabilities in one text`, () =>
        judgeCapabilities(cluster, helm, chart),
      );
    }
  }
}

/** What hazard capabilities-not-a-list foretells for charts without a schema. */
async function judgeCapabilities(
  cluster: RealCluster,
  helm: Helm,
  chart: RealChart,
): Promise<void> {
  const values = valuesOf({ 'securityContext.capabilities.ciliumAgent': '{CHOWN,KILL}' });
  const { code, stderr } = await cluster.judge(await rendered(helm, chart, values));
  if (code === 0) throw new Error('it takes them');
  if (!/capabilities\.add/.test(stderr))
    throw new Error(`it complains of something else: ${stderr}`);
}

async function rendered(helm: Helm, chart: RealChart, values: Values): Promise<string> {
  const rendering = await helm.template(chart, values);
  if (!rendering.ok) throw new Error(rendering.message);
  return rendering.documents.map(({ text }) => text).join('\n---\n');
}

function planned(version: string): Readonly<Record<string, Values>> {
  return Object.fromEntries(releasesFor({}, version).map(({ step, release }) => [step, release]));
}

/** CiliumNodeConfig: which versions each release serves, and that it takes what the plan applies. */
async function judgeNodeConfigs(
  lane: Lane,
  cluster: RealCluster,
  { minors }: Charts,
): Promise<void> {
  for (const chart of minors) {
    await lane.check(
      `Cilium ${chart.version}: its CiliumNodeConfig is as regauge writes it`,
      async () => {
        const crd = nodeConfigCrd(chart);
        const served = crd.spec.versions
          .filter(({ served: is }) => is)
          .map(({ name }) => `cilium.io/${name}`);
        const known = servedNodeConfigVersions(chart.version);
        if (served.toSorted().join() !== known.toSorted().join()) {
          throw new Error(`it serves ${served.join(', ')}; regauge knows ${known.join(', ')}`);
        }
        await cluster.create([crd]);
        await cluster.kubectl(['wait', '--for=condition=Established', `crd/${crd.metadata.name}`]);
        const config = nodeConfig(chart.version, 'kube-system', true);
        if (config.apiVersion !== nodeConfigApiVersion(chart.version))
          throw new Error('two tellings');
        const { code, stderr } = await cluster.judge(JSON.stringify(config));
        await cluster.kubectl(['delete', 'crd', crd.metadata.name]);
        if (code !== 0) throw new Error(stderr);
      },
    );
  }
}

type Crd = KubeObject & {
  readonly spec: {
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
};

function nodeConfigCrd({ crds, version }: RealChart): Crd {
  const folder = nodeConfigApiVersion(version).replace('cilium.io/', '');
  // A CRD, as its project writes it.
  return parse(readFileSync(join(crds, folder, 'ciliumnodeconfigs.yaml'), 'utf8')) as Crd;
}

/** Install, upgrade, rollback and removal as a plan would do them, and what regauge reads of it. */
async function installCilium(lane: Lane, cluster: RealCluster, { minors }: Charts): Promise<void> {
  const chart = minors.find(({ version }) => version === INSTALLED);
  if (chart === undefined) {
    lane.skip('helm install', `chart ${INSTALLED} cannot be had here`);
    return;
  }
  const phases = Object.values(planned(INSTALLED));
  const [first = {}, second = first] = phases;
  const release = ['cilium', chart.directory, ...IN_CHARTS];
  await lane.check('nodes as snapshots have them', () => createNodes(cluster));
  await lane.check('helm upgrade --install, beside another CNI', async () => {
    await cluster.helm(['upgrade', '--install', ...release], first);
    const agents = await settled(
      cluster,
      'daemonset/cilium',
      '{.status.desiredNumberScheduled}',
      '3',
    );
    if (agents !== '3') throw new Error(`agents for ${agents} nodes of 3`);
  });
  await lane.check('regauge check --live reads what Helm installed', () => checkLive(cluster));
  await lane.check('helm upgrade, in charge', async () => {
    await cluster.helm(['upgrade', ...release], second);
    expectText(await configKey(cluster, 'custom-cni-conf'), 'false');
  });
  await lane.check('helm rollback', async () => {
    await cluster.helm(['rollback', 'cilium', '1', ...IN_CHARTS]);
    expectText(await configKey(cluster, 'custom-cni-conf'), 'true');
    const history = await cluster.helm(['history', 'cilium', ...IN_CHARTS, '-o', 'json']);
    const statuses = (JSON.parse(history) as readonly { status: string }[]).map(
      ({ status }) => status,
    );
    expectText(statuses.join(' '), 'superseded superseded deployed');
  });
  await lane.check('helm uninstall', async () => {
    await cluster.helm(['uninstall', 'cilium', ...IN_CHARTS]);
    const left = ['get', 'daemonset,configmap', ...IN_CHARTS, '-o', 'name'];
    if (/\/cilium/.test(await cluster.kubectl(left))) throw new Error('something of it is left');
  });
}

async function createNodes(cluster: RealCluster): Promise<void> {
  const nodes = homeLab().objects.filter((object): object is NodeObject => object.kind === 'Node');
  await cluster.create(nodes.map(asWritten));
  for (const { metadata, status } of nodes) {
    const patch = JSON.stringify({ status });
    await cluster.kubectl([
      'patch',
      'node',
      metadata.name,
      '--subresource=status',
      '--type=merge',
      '-p',
      patch,
    ]);
  }
}

/** The value of a path once it is what is hoped for, or what it is at the end of patience. */
async function settled(
  cluster: RealCluster,
  object: string,
  path: string,
  hoped: string,
): Promise<string> {
  const wait = ['wait', object, ...IN_CHARTS, `--for=jsonpath=${path}=${hoped}`, '--timeout=30s'];
  await cluster.kubectl(wait).catch(() => undefined);
  return cluster.kubectl(['get', object, ...IN_CHARTS, '-o', `jsonpath=${path}`]);
}

function configKey(cluster: RealCluster, key: string): Promise<string> {
  return cluster.kubectl([
    'get',
    'configmap/cilium-config',
    ...IN_CHARTS,
    '-o',
    `jsonpath={.data.${key}}`,
  ]);
}

interface CheckReport {
  readonly findings: readonly { readonly hazard: string }[];
}

/** Live and through a snapshot, the same cluster has the same findings. */
async function checkLive(cluster: RealCluster): Promise<void> {
  const live = await cluster.regauge(['check', '--live', '-o', 'json']);
  if (live.code !== 0 && live.code !== 1) throw new Error(`exit ${live.code}: ${live.stderr}`);
  const kinds = 'nodes,namespaces,pods,daemonsets,deployments,services,configmaps';
  const dump = await cluster.kubectl(['get', kinds, '--all-namespaces', '-o', 'json']);
  const fromDump = await cluster.regaugeOn(dump, ['check', '-o', 'json', '-']);
  expectText(hazardsIn(live.stdout), hazardsIn(fromDump.stdout));
}

function hazardsIn(report: string): string {
  const { findings } = JSON.parse(report) as CheckReport;
  return [...new Set(findings.map(({ hazard }) => hazard))].toSorted().join(' ');
}

function expectText(found: string, expected: string): void {
  if (found !== expected) throw new Error(`found ${found}\nexpected ${expected}`);
}
