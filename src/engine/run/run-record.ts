/**
 * What the cluster keeps of a migration, so that any machine can go on with it: the plan, what was
 * broken before the first step, and how far it is. The plan and the start are used; how far it is
 * is for people only, since what is done is observed.
 */
import { z } from 'zod';
import { canonicalJson } from '../../base/canonical-json.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { ConfigMapObject } from '../../model/kubernetes.ts';
import { OWN_LABELS, OWN_NAMESPACE, ROLE_LABEL } from '../../model/own-objects.ts';
import type { Plan } from '../../model/plan.ts';
import { plan as planSchema } from '../../model/schema/plan.ts';
import type { KubernetesPort, ObjectAddress } from '../../ports/index.ts';
import { keep, kept } from './chunks.ts';

const RUN_RECORD: ObjectAddress = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: OWN_NAMESPACE,
  name: 'regauge-run',
};
const KEY = 'run.json';
/** Broken paths beyond these are waited for: the safe side of a bound. */
const BROKEN_PATHS_KEPT = 2_000;

const record = z.object({
  version: z.literal(1),
  planId: z.string(),
  planHash: z.string(),
  cluster: z.object({ uid: z.string(), name: z.string() }),
  /** RFC 3339. */
  startedAt: z.string(),
  updatedAt: z.string(),
  state: z.enum(['running', 'paused', 'stopped', 'done']),
  phase: z.string().exactOptional(),
  /** Steps that run, or the one that failed. */
  steps: z.array(z.string()).readonly(),
  done: z.number(),
  total: z.number(),
  message: z.string().exactOptional(),
  /** Who ran it last, and where its audit log lies. */
  holder: z.string(),
  token: z.number(),
  auditLog: z.string().exactOptional(),
  /** Keys of paths that lost packets before the first step; absent until they were looked at. */
  brokenBefore: z.array(z.string()).readonly().exactOptional(),
  /** Nodes that joined while the plan was under way, and are in it since; `newcomers` bounds how many. */
  joined: z
    .array(
      z.object({
        name: z.string(),
        like: z.string(),
        internalIps: z.array(z.string()).readonly(),
      }),
    )
    .readonly()
    .exactOptional(),
});

export type RunRecord = z.infer<typeof record>;

/** `bad-input` when it is there and cannot be understood: a newer regauge wrote it. */
export async function readRecord(
  kubernetes: Pick<KubernetesPort, 'get'>,
): Promise<RunRecord | undefined> {
  const found = await kubernetes.get<ConfigMapObject>(RUN_RECORD);
  const text = found?.data?.[KEY];
  if (text === undefined) return undefined;
  const result = record.safeParse(parsed(text));
  if (result.success) return result.data;
  throw new RegaugeError(
    'bad-input',
    `ConfigMap ${OWN_NAMESPACE}/${RUN_RECORD.name} is not as this regauge writes it: ${result.error.issues[0]?.message ?? 'unknown'}`,
    { hint: 'Another version of regauge works on this cluster, or somebody changed it by hand.' },
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export async function writeRecord(kubernetes: KubernetesPort, run: RunRecord): Promise<void> {
  const { brokenBefore } = run;
  const bounded =
    brokenBefore === undefined
      ? run
      : { ...run, brokenBefore: brokenBefore.slice(0, BROKEN_PATHS_KEPT) };
  const data = { [KEY]: JSON.stringify(bounded) };
  const found = await kubernetes.get<ConfigMapObject>(RUN_RECORD);
  if (found !== undefined) {
    await kubernetes.patch(RUN_RECORD, { data });
    return;
  }
  const { apiVersion, name } = RUN_RECORD;
  const labels = { ...OWN_LABELS, [ROLE_LABEL]: 'run' };
  const made: ConfigMapObject = {
    apiVersion,
    kind: 'ConfigMap',
    metadata: { name, namespace: OWN_NAMESPACE, labels },
    data,
  };
  await kubernetes.create(made);
}

/** The plan is written before the record that names it: who finds the one finds the other. */
export async function keepPlan(kubernetes: KubernetesPort, plan: Plan): Promise<void> {
  const annotations = { 'regauge.dev/plan': plan.id };
  await keep(
    kubernetes,
    { name: planName(plan.hash), role: 'plan', annotations },
    canonicalJson(plan),
  );
}

/** Undefined when it is not there, not whole, or not what its hash says. */
export async function keptPlan(
  kubernetes: Pick<KubernetesPort, 'get'>,
  hash: string,
): Promise<Plan | undefined> {
  const text = await kept(kubernetes, planName(hash));
  if (text === undefined) return undefined;
  const result = planSchema.safeParse(parsed(text));
  return result.success && result.data.hash === hash ? result.data : undefined;
}

function planName(hash: string): string {
  return `regauge-plan-${hash.replace(/^sha256:/, '').slice(0, 16)}`;
}
