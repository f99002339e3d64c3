/**
 * A cluster told in a few lines: versions, nodes, network and workloads. `expand-cluster.ts` turns
 * it into the objects and configs that kubectl and talosctl would print of such a cluster.
 */
import { z } from 'zod';
import { constantOverrides } from './constant-schema.ts';

const volume = z.strictObject({
  /** `10Gi`. */
  size: z.string(),
  /** Replicas that Longhorn keeps; one on each of as many nodes. */
  copies: z.int().positive().default(3),
});

const budget = z.strictObject({
  minAvailable: z.union([z.int(), z.string()]).optional(),
  maxUnavailable: z.union([z.int(), z.string()]).optional(),
});

const container = z.strictObject({
  name: z.string(),
  image: z.string(),
});

const workload = z.strictObject({
  /** `Pod`: bare pods, owned by nobody. */
  kind: z.enum(['Deployment', 'StatefulSet', 'DaemonSet', 'Pod']),
  namespace: z.string(),
  name: z.string(),
  image: z.string(),
  /** Not for DaemonSets. */
  replicas: z.int().nonnegative().default(1),
  sidecars: z.array(container).default([]),
  init: z.array(container).default([]),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  args: z.array(z.string()).default([]),
  /** Container ports; with `service`, the first is what the Service sends to. */
  ports: z.array(z.int()).default([]),
  service: z.enum(['ClusterIP', 'NodePort', 'Headless']).optional(),
  hostNetwork: z.boolean().default(false),
  hostPorts: z.array(z.int()).default([]),
  serviceAccount: z.string().optional(),
  volume: volume.optional(),
  budget: budget.optional(),
  /** Names of nodes the pods are on now, in turn; else they are spread. */
  on: z.array(z.string()).default([]),
  nodeSelector: z.record(z.string(), z.string()).default({}),
  /** Tolerates the taint of control planes. */
  toleratesControlPlane: z.boolean().default(false),
  /** No two on one node: `must` is required anti-affinity, `prefer` preferred. */
  apart: z.enum(['must', 'prefer']).optional(),
  /** What each container asks for. */
  memory: z.string().default('128Mi'),
  /** Has a liveness probe over the pod network. */
  liveness: z.boolean().default(false),
});

const node = z.strictObject({
  name: z.string(),
  address: z.string(),
  role: z.enum(['control-plane', 'worker']),
  /** What pods may ask for in all. */
  memory: z.string().default('32Gi'),
});

/** Many alike nodes: `<prefix>-cp-01…` and `<prefix>-wrk-01…`, addresses one after the other. */
const nodeRange = z.strictObject({
  prefix: z.string(),
  controlPlanes: z.int().positive(),
  workers: z.int().nonnegative(),
  /** Of the first control plane. */
  firstAddress: z.string(),
});

export const clusterSpec = z.strictObject({
  kind: z.literal('ClusterSpec'),
  name: z.string(),
  description: z.string().default(''),
  versions: z.strictObject({
    talos: z.string(),
    kubernetes: z.string(),
    /** What is deployed; Talos's own of the release when left out. */
    flannel: z.string().optional(),
    /** The Talos that rendered the manifests, where `upgrade-k8s` never synced them since. */
    manifestsFrom: z.string().optional(),
  }),
  network: z.strictObject({
    podSubnet: z.string().default('10.244.0.0/16'),
    serviceSubnet: z.string().default('10.96.0.0/12'),
    /** `https://10.0.1.200:6443`. */
    endpoint: z.string(),
    vip: z.string().optional(),
  }),
  machine: z.strictObject({
    hostDns: z.boolean().default(true),
    forwardKubeDnsToHost: z.boolean().default(false),
    kubePrism: z.boolean().default(true),
    proxyDisabled: z.boolean().default(false),
    schedulableControlPlanes: z.boolean().default(false),
    nodeIpValidSubnets: z.array(z.string()).default([]),
    installer: z.string().optional(),
  }),
  nodes: z.union([z.array(node).nonempty(), nodeRange]),
  longhorn: z.strictObject({ version: z.string() }).optional(),
  workloads: z.array(workload).default([]),
  /** Whole objects as kubectl would print them: policies, webhooks, anything else. */
  objects: z.array(z.record(z.string(), z.unknown())).default([]),
  /** Times and limits of the simulated software that are other than `twin/constants.ts` has them. */
  constants: constantOverrides.default({}),
});

export type ClusterSpec = z.infer<typeof clusterSpec>;
/** As it is written: what has a default may be left out. */
export type ClusterSpecInput = z.input<typeof clusterSpec>;
export type WorkloadSpec = z.infer<typeof workload>;
export type NodeSpec = z.infer<typeof node>;
