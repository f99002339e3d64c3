/** The published schema of Plan, held to the type by the compiler; also what a plan file must satisfy. */
import { z } from 'zod';
import type { KubeObject } from '../kubernetes.ts';
import { type Action, type Gate, PHASES, type Plan, RULES_OWNERS, type Step } from '../plan.ts';
import { list } from './parts.ts';
import { rehearsalSummary } from './rehearsal.ts';

const names = list(z.string());
const table = z.record(z.string(), z.unknown());
const strategy = z.enum(['evict-in-place', 'reboot', 'sandbox-restart']);
const changes = z.record(z.string(), z.string().nullable());

const selector = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  namespace: z.string().exactOptional(),
  name: z.string(),
});

/** Whole objects are kept as they are: what regauge does not read of them belongs to them too. */
const object = z.custom<KubeObject>(
  (value) =>
    z
      .looseObject({
        apiVersion: z.string(),
        kind: z.string(),
        metadata: z.looseObject({ name: z.string() }),
      })
      .safeParse(value).success,
  'is no Kubernetes object',
);

const action = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('back-up'),
    objects: list(selector),
    confsOf: names.exactOptional(),
    patches: list(z.object({ nodes: names, patch: z.string() })).exactOptional(),
    etcd: z.boolean().exactOptional(),
  }),
  z.object({ kind: z.literal('patch-machine-config'), nodes: names, patch: z.string() }),
  z.object({
    kind: z.literal('install-helm-release'),
    release: z.string(),
    namespace: z.string(),
    chart: z.literal('cilium'),
    version: z.string(),
    values: table,
  }),
  z.object({
    kind: z.literal('uninstall-helm-release'),
    release: z.string(),
    namespace: z.string(),
  }),
  z.object({ kind: z.literal('apply-objects'), objects: list(object) }),
  z.object({ kind: z.literal('delete-objects'), objects: list(selector) }),
  z.object({ kind: z.literal('restore-objects'), backup: z.string(), objects: list(selector) }),
  z.object({
    kind: z.literal('label-node'),
    node: z.string(),
    labels: changes,
    annotations: changes.exactOptional(),
  }),
  z.object({
    kind: z.literal('cordon'),
    nodes: names,
    exceptLabel: z.string().exactOptional(),
    onlyLabel: z.string().exactOptional(),
  }),
  z.object({ kind: z.literal('uncordon'), nodes: names, exceptLabel: z.string().exactOptional() }),
  z.object({ kind: z.literal('restart-agent'), node: z.string() }),
  z.object({
    kind: z.literal('reconfigure-agent'),
    node: z.string(),
    label: z.string(),
    selected: z.boolean(),
  }),
  z.object({
    kind: z.literal('restart-pods'),
    node: z.string(),
    strategy,
    drainTimeoutSeconds: z.number().positive(),
    budgetsWithoutRoom: names.exactOptional(),
  }),
  z.object({
    kind: z.literal('return-node'),
    node: z.string(),
    strategy,
    label: z.string(),
    oldConf: z.string(),
    backup: z.string().exactOptional(),
  }),
  z.object({ kind: z.literal('roll-out'), target: selector }),
  z.object({ kind: z.literal('suspend-owner'), owner: selector }),
  z.object({ kind: z.literal('resume-owner'), owner: selector }),
  z.object({
    kind: z.literal('change-node-files'),
    nodes: names,
    remove: names,
    links: names,
    cleanKubeProxyRules: z.boolean(),
  }),
  z.object({
    kind: z.literal('clean-packet-filter'),
    nodes: names,
    owners: list(z.enum(RULES_OWNERS)),
    nftTables: names,
  }),
  z.object({
    kind: z.literal('write-node-file'),
    nodes: names,
    path: z.string(),
    content: z.string().nullable(),
  }),
  z.object({
    kind: z.literal('restart-service'),
    nodes: names,
    service: z.string(),
    proof: z.object({
      path: z.string(),
      text: z.string(),
      present: z.boolean(),
      staticPod: z.object({ namespace: z.string(), name: z.string() }).exactOptional(),
    }),
  }),
  z.object({
    kind: z.literal('move-probe'),
    node: z.string(),
    beside: z.string().exactOptional(),
  }),
  z.object({
    kind: z.literal('audit-policies'),
    nodes: names,
    seconds: z.number().positive(),
  }),
  z.object({ kind: z.literal('prove-policies'), nodes: names }),
  z.object({ kind: z.literal('verify'), scope: z.enum(['node', 'cluster']), nodes: names }),
]) satisfies z.ZodType<Action>;

const gate = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('nodes-ready'), nodes: names }),
  z.object({ kind: z.literal('agents-ready'), nodes: names }),
  z.object({
    kind: z.literal('conf-selected'),
    node: z.string(),
    network: z.enum(['flannel', 'cilium']),
    directories: z.object({ conf: z.string(), bin: z.string() }).exactOptional(),
  }),
  z.object({
    kind: z.literal('etcd-quorum'),
    node: z.string(),
    consent: z.boolean().exactOptional(),
  }),
  z.object({ kind: z.literal('workloads-ready') }),
  z.object({ kind: z.literal('dns-answers') }),
  z.object({ kind: z.literal('paths-clear') }),
  z.object({ kind: z.literal('volumes-healthy') }),
  z.object({ kind: z.literal('no-old-pods'), nodes: names }),
  z.object({
    kind: z.literal('node-addresses-unchanged'),
    nodes: names,
    expected: z.record(z.string(), names),
  }),
  z.object({ kind: z.literal('rules-gone'), nodes: names, owners: list(z.enum(RULES_OWNERS)) }),
  z.object({ kind: z.literal('webhooks-reachable') }),
  z.object({ kind: z.literal('configuration-kept'), release: z.string(), namespace: z.string() }),
  z.object({ kind: z.literal('canaries-meet'), node: z.string(), alone: z.boolean() }),
  z.object({ kind: z.literal('sandboxes-made') }),
  z.object({ kind: z.literal('tokens-accepted') }),
  z.object({ kind: z.literal('owners-suspended'), owners: list(selector) }),
]) satisfies z.ZodType<Gate>;

const step = z.object({
  id: z.string(),
  kind: z.enum(action.options.map((option) => option.shape.kind.value)),
  phase: z.enum(PHASES),
  title: z.string(),
  nodes: names,
  action,
  dependsOn: names,
  gates: list(gate),
  blastRadius: z.object({
    scope: z.enum(['none', 'pods', 'node', 'nodes', 'cluster']),
    worst: z.string(),
  }),
  pointOfNoReturn: z.boolean(),
  timeoutSeconds: z.number().positive(),
  undo: action.nullable(),
  undoThen: list(action).exactOptional(),
  undoNote: z.string().exactOptional(),
  because: z.string(),
}) satisfies z.ZodType<Step>;

export const plan = z.object({
  apiVersion: z.literal('regauge.dev/v1'),
  kind: z.literal('Plan'),
  id: z.string(),
  hash: z.string(),
  cluster: z.object({ uid: z.string(), name: z.string() }),
  fingerprint: z.record(z.string(), z.string()),
  strategy,
  from: z.object({ cni: z.string(), podCidrs: names }),
  to: z.object({
    cni: z.literal('cilium'),
    version: z.string(),
    podCidrs: names,
    kubeProxyReplacement: z.boolean(),
  }),
  steps: list(step),
  waves: list(names),
  guards: names,
  decisions: list(z.object({ about: z.string(), choice: z.string(), because: z.string() })),
  predictions: rehearsalSummary.exactOptional(),
  platform: z.object({
    distribution: z.string(),
    distributionVersion: z.string(),
    kubernetesVersion: z.string(),
    cniConfDirectory: z.string(),
    cniBinDirectory: z.string(),
    afterOldCni: z
      .object({ conf: z.string(), bin: z.string(), runtimeConfig: z.string() })
      .exactOptional(),
    confDirectoryVolatile: z.boolean(),
    release: z.object({ name: z.string(), namespace: z.string() }),
  }),
  joined: list(
    z.object({ name: z.string(), like: z.string(), internalIps: names }),
  ).exactOptional(),
  takesBack: z.string().exactOptional(),
  unreadyBefore: names,
}) satisfies z.ZodType<Plan>;
