/**
 * Saves what later steps delete or change: objects, CNI confs, the parts of machine configs that are
 * patched, etcd. Nothing is destroyed before its back-up was read back and compared.
 */
import { canonicalJson } from '../base/canonical-json.ts';
import { redactText } from '../base/redaction.ts';
import { confCandidates } from '../knowledge/cni-selection.ts';
import { partsUnder } from '../knowledge/talos-config/parts-under.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import { type ActionOf, fails, HOLDS, type StepContext, type StepModule } from './step-module.ts';
import { inParallel, NODES_AT_A_TIME } from './waiting.ts';

type BackUp = ActionOf<'back-up'>;

/** The CNI confs of a node, as they were. Saved among the objects; no API server knows the kind. */
export interface NodeConfs extends KubeObject {
  readonly kind: 'NodeConfs';
  readonly directory: string;
  readonly files: Readonly<Record<string, string>>;
}

const OWN = 'regauge.dev/v1';

export const backUp: StepModule<'back-up'> = {
  async observe({ backups, step }) {
    return (await backups.read(step.id)) === undefined ? 'todo' : 'done';
  },

  async act(context, action) {
    const { ports, backups, step } = context;
    const found: KubeObject[] = [];
    for (const selector of action.objects) {
      const object = await ports.kubernetes.get(selector);
      if (object !== undefined) found.push(withoutServerFields(object));
    }
    found.push(...(await confsOf(context, action.confsOf ?? [])));
    found.push(...(await configPartsOf(context, action)));
    const etcd = await etcdSnapshot(context, action);
    if (etcd !== undefined) found.push(etcd);
    await backups.save(step.id, found);
    const read = await backups.read(step.id);
    if (canonicalJson(read) !== canonicalJson(found))
      throw new Error('the backup does not read back as it was written');
  },

  async verify({ backups, step }) {
    return (await backups.read(step.id)) === undefined ? fails('there is no backup') : HOLDS;
  },

  undo: () => null,
};

/** The confs that a back-up has of a node; undefined when it has none. */
export function savedConfs(
  saved: readonly KubeObject[] | undefined,
  node: string,
): NodeConfs | undefined {
  const found = saved?.find(({ kind, metadata }) => kind === 'NodeConfs' && metadata.name === node);
  return found as NodeConfs | undefined; // told by its kind
}

async function confsOf(
  { ports, plan }: StepContext,
  nodes: readonly string[],
): Promise<readonly NodeConfs[]> {
  const directory = plan.platform.cniConfDirectory;
  const saved = new Map<string, NodeConfs>();
  await inParallel(nodes, NODES_AT_A_TIME, async (node) => {
    const files: Record<string, string> = {};
    for (const name of confCandidates((await ports.nodeHost.list(node, directory)) ?? [])) {
      const text = await ports.nodeHost.read(node, `${directory}/${name}`);
      // A conf with a token in it is its owner's to keep.
      if (text !== undefined && redactText(text) === text) files[name] = text;
    }
    saved.set(node, {
      apiVersion: OWN,
      kind: 'NodeConfs',
      metadata: { name: node },
      directory,
      files,
    });
  });
  return nodes.flatMap((node) => saved.get(node) ?? []);
}

/** Of the whole config nothing else: it holds the keys of the cluster. */
async function configPartsOf(
  { ports }: StepContext,
  { patches = [] }: BackUp,
): Promise<readonly KubeObject[]> {
  const byNode = new Map<string, unknown[]>();
  for (const { nodes, patch } of patches) {
    for (const node of nodes) {
      const parts = partsUnder(await ports.nodeHost.machineConfig(node), patch);
      byNode.set(node, [...(byNode.get(node) ?? []), ...parts]);
    }
  }
  return [...byNode].map(([name, documents]) => {
    const object = { apiVersion: OWN, kind: 'MachineConfigParts', metadata: { name }, documents };
    return object;
  });
}

/** To a file of whoever runs this: what holds every Secret goes nowhere else. */
async function etcdSnapshot(
  { ports, backups, step, say }: StepContext,
  { etcd }: BackUp,
): Promise<KubeObject | undefined> {
  const { nodeHost } = ports;
  if (etcd !== true || nodeHost.etcdSnapshot === undefined) return undefined;
  if (backups.saveStream === undefined) return undefined;
  const take = nodeHost.etcdSnapshot.bind(nodeHost);
  const { place, outcome, readBack } = await backups.saveStream(`${step.id}-etcd.db`, take);
  if (readBack !== outcome.sha256)
    throw new Error('the etcd snapshot does not read back as it was written');
  say(`etcd is saved in ${place}: ${outcome.bytes} bytes, every Secret among them`);
  const object = {
    apiVersion: OWN,
    kind: 'EtcdSnapshot',
    metadata: { name: 'etcd' },
    place,
    ...outcome,
  };
  return object;
}

/** What can be applied again: without what the server gave it. */
function withoutServerFields(object: KubeObject): KubeObject {
  const { status: _status, ...kept } = object as KubeObject & { status?: unknown };
  const {
    uid: _uid,
    resourceVersion: _version,
    generation: _generation,
    creationTimestamp: _created,
    managedFields: _managed,
    ...metadata
  } = object.metadata;
  return { ...kept, metadata };
}
