/**
 * `kubectl get pods -A` of 10,000 pods: from a served twin, and from a real API server that holds the
 * same ones. In turns, so that both meet equal load; the best of each.
 */
import { spawnSync } from 'node:child_process';
import { obtainControlPlane } from '../test/real/api/software.ts';
import { ControlPlane } from '../test/real/api/control-plane.ts';
import { Cache } from '../test/real/cache.ts';
import { Skipped } from '../test/real/skipped.ts';
import { ApiClient } from './api-client.ts';
import { type Figure, ratioFigure } from './table.ts';
import { TwinProcess } from './twin-process.ts';

/** Deployments of 30. */
const SIZE = { nodes: 334, pods: 10_020 };
const ROUNDS = 5;
const LIMIT = 2;
const WHAT = `kubectl get pods -A, ${SIZE.pods.toLocaleString('en')} pods`;
/** Requests to the real API server at the same time. */
const AT_ONCE = 16;

type Tree = Readonly<Record<string, unknown>>;

export async function kubectlFigures(folder: string): Promise<readonly Figure[]> {
  try {
    return [await measured(folder)];
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    const toReach = `≤ ${LIMIT} × a real API server`;
    return [{ what: WHAT, measured: error.message, toReach, reached: undefined }];
  }
}

async function measured(folder: string): Promise<Figure> {
  const software = obtainControlPlane(new Cache((line) => console.error(line)));
  const ends: (() => Promise<void>)[] = [];
  try {
    const twin = await TwinProcess.start(folder, { ...SIZE, only: 'workloads' });
    ends.push(() => twin.end());
    const plane = await ControlPlane.start(software, (started) => ends.push(() => started.end()));
    await fill(new ApiClient(plane.kubeconfig), new ApiClient(twin.kubeconfig));
    const times = Array.from({ length: ROUNDS }, () => ({
      real: timeKubectl(software.kubectl, plane.kubeconfig),
      twin: timeKubectl(software.kubectl, twin.kubeconfig),
    }));
    const real = Math.min(...times.map((time) => time.real));
    const served = Math.min(...times.map((time) => time.twin));
    const note = ` kube-apiserver ${software.version} (${served.toFixed(0)} / ${real.toFixed(0)} ms)`;
    return ratioFigure(WHAT, served / real, LIMIT, note);
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}

/** What the twin holds, in the real one: nodes, since pods of none are collected, and pods with their status. */
async function fill(real: ApiClient, twin: ApiClient): Promise<void> {
  const pods = await twin.list('/api/v1/pods');
  const nodes = await twin.list('/api/v1/nodes');
  const namespaces = [...new Set(pods.map((pod) => String(metadataOf(pod)['namespace'])))];
  for (const name of namespaces) {
    await real.send('POST', '/api/v1/namespaces', { metadata: { name } });
    // Pods are refused until the namespace has it.
    await real.until(`/api/v1/namespaces/${name}/serviceaccounts/default`);
  }
  await each(nodes, (node) => real.send('POST', '/api/v1/nodes', bare(node)));
  await each(pods, async (pod) => {
    const { namespace, name } = metadataOf(pod);
    const path = `/api/v1/namespaces/${String(namespace)}/pods`;
    const made = await real.send('POST', path, bare(pod));
    await real.send('PUT', `${path}/${String(name)}/status`, { ...made, status: pod['status'] });
  });
}

/** Without what a server gives, and without owners, which are not there. */
function bare(object: Tree): Tree {
  const { uid: _u, resourceVersion: _v, ownerReferences: _o, ...metadata } = metadataOf(object);
  return { ...object, metadata };
}

function metadataOf(object: Tree): Tree {
  return object['metadata'] as Tree; // of an API object
}

async function each(
  objects: readonly Tree[],
  work: (object: Tree) => Promise<unknown>,
): Promise<void> {
  const waiting = [...objects];
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function timeKubectl(kubectl: string, kubeconfig: string): number {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(
    kubectl,
    ['--kubeconfig', kubeconfig, 'get', 'pods', '-A', '--no-headers'],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const took = performance.now() - start;
  const lines = stdout.split('\n').length - 1;
  if (status !== 0 || lines < SIZE.pods) throw new Error(`kubectl showed ${lines} pods: ${stderr}`);
  return took;
}
