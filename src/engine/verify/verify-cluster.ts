/**
 * The matrix once: probes for a while, then what they saw; and connections that a NetworkPolicy
 * forbids, which must fail where the network enforces policies. Takes away what it made, whatever
 * happens.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { ConfigMapObject, KubeObject } from '../../model/kubernetes.ts';
import type { LeftRules, PolicyTest, Verification } from '../../model/verification.ts';
import type { ClockPort, ClosedPath, KubernetesPort, ProberPort } from '../../ports/index.ts';

/** What a prober can do besides, for the test of policies. */
export interface ClosedTarget {
  /** The policy that closes the pod which `forbidden` tells of. */
  readonly policy: KubeObject;
  /** Whether the pod is reached, from each node's pod, as far as was seen by now. */
  forbidden(): Promise<readonly ClosedPath[]>;
}

export interface VerifyOptions {
  readonly prober: ProberPort;
  readonly kubernetes: KubernetesPort;
  readonly clock: ClockPort;
  readonly seconds: number;
  /** Absent: policies are not tested. */
  readonly closed?: ClosedTarget;
  /** What programs that run no more left on nodes; absent: not looked for. */
  readonly leftRules?: () => Promise<LeftRules | undefined>;
  readonly signal: AbortSignal;
  readonly say: (message: string) => void;
}

/** A shorter gap is a queue that was full once. */
const GAP_MAX_MS = 1_000;
/** Agents programme a policy within seconds; a connection that is refused shows a second later. */
const POLICY_SECONDS = 15;
const LOOK_MS = 500;

export async function verifyCluster(options: VerifyOptions): Promise<Verification> {
  const { prober, say, seconds, signal } = options;
  try {
    say('Starting probes on every node');
    await interruptible(prober.start(), signal);
    say(`Probing for ${seconds} s`);
    await wait(options, seconds);
    const seen = await observe(options);
    const policies =
      options.closed === undefined ? undefined : await testPolicy(options, options.closed);
    const rules = await options.leftRules?.();
    return {
      apiVersion: 'regauge.dev/v1',
      kind: 'Verification',
      seconds,
      ...seen,
      ...(policies === undefined ? {} : { policies }),
      ...(rules === undefined ? {} : { leftRules: rules }),
      verdict: verdictOf(seen, policies),
    };
  } finally {
    say('Taking the probes away');
    if (options.closed !== undefined)
      await options.kubernetes.delete(addressOf(options.closed.policy));
    await prober.stop();
  }
}

type Seen = Pick<Verification, 'paths' | 'failing' | 'unknown'>;

async function observe({ prober }: VerifyOptions): Promise<Seen> {
  const failing = await prober.failing();
  const unknown = (await prober.unknown?.()) ?? [];
  return {
    paths: await prober.observations(),
    failing: failing.map(({ from, to, sinceMs, message }) => ({
      from,
      to,
      sinceMs: Math.round(sinceMs),
      message,
    })),
    unknown: unknown.map(({ node, message }) => ({ node, message })),
  };
}

function verdictOf(
  { paths, failing, unknown }: Seen,
  policies: PolicyTest | undefined,
): Verification['verdict'] {
  const isOpen =
    policies?.enforcementExpected === true &&
    policies.connections.some(({ outcome }) => outcome === 'reached');
  // What forbids is the union of all policies, and so is what allows: then it proves nothing.
  const isDisputed = isOpen && policies.clusterwide.length > 0;
  if ((isOpen && !isDisputed) || failing.length > 0) return 'failing';
  if (paths.some(({ longestGapMs }) => longestGapMs > GAP_MAX_MS)) return 'failing';
  if (isDisputed) return 'unknown';
  return unknown.length > 0 || paths.length === 0 ? 'unknown' : 'clear';
}

async function testPolicy(options: VerifyOptions, closed: ClosedTarget): Promise<PolicyTest> {
  const { kubernetes, say } = options;
  const before = await closed.forbidden();
  say('Closing a pod of our own with a NetworkPolicy, and trying to reach it');
  await kubernetes.apply(closed.policy, { force: true });
  await wait(options, POLICY_SECONDS);
  const after = await closed.forbidden();
  return {
    tested:
      'a pod in our own namespace, closed to all by a NetworkPolicy, asked from every node’s pod; the policies of the cluster itself were not tried',
    enforcementExpected: await expectsEnforcement(kubernetes),
    clusterwide: await clusterwidePolicies(kubernetes),
    connections: before.map(({ from, to, reached }) => {
      const later = after.find((path) => path.from.node === from.node)?.reached;
      const reachedBefore = reached === true;
      const outcome =
        !reachedBefore || later === undefined ? 'not-tested' : later ? 'reached' : 'denied';
      return { from, to, reachedBefore, outcome };
    }),
  };
}

const CLUSTERWIDE = [
  ['cilium.io/v2', 'CiliumClusterwideNetworkPolicy'],
  ['policy.networking.k8s.io/v1alpha1', 'AdminNetworkPolicy'],
  ['policy.networking.k8s.io/v1alpha1', 'BaselineAdminNetworkPolicy'],
] as const;

async function clusterwidePolicies(kubernetes: KubernetesPort): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [apiVersion, kind] of CLUSTERWIDE) {
    try {
      const policies = await kubernetes.list(apiVersion, kind);
      found.push(...policies.map(({ metadata }) => `${kind} ${metadata.name}`));
    } catch (error) {
      if (!(error instanceof RegaugeError)) throw error;
      // A kind that the cluster has not is no policy; one that may not be listed may be one.
      if (error.code !== 'not-found') found.push(`${kind}, not listed: ${error.message}`);
    }
  }
  return found;
}

/**
 * Cilium says so in its ConfigMap: `never` enforces nothing (cilium:pkg/option/config.go
 * enable-policy). Flannel alone never does; of others nothing is known.
 */
async function expectsEnforcement(kubernetes: KubernetesPort): Promise<boolean | null> {
  const address = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: 'kube-system',
    name: 'cilium-config',
  };
  const config = await kubernetes.get<ConfigMapObject>(address);
  const mode = config?.data?.['enable-policy'];
  return mode === undefined ? null : mode !== 'never';
}

async function wait({ clock, signal }: VerifyOptions, seconds: number): Promise<void> {
  const until = clock.now() + seconds * 1_000;
  while (clock.now() < until) {
    if (signal.aborted) throw stopped();
    await clock.sleep(Math.min(LOOK_MS, until - clock.now()));
  }
}

/** The work goes on, and what it made is taken away by `stop`. */
async function interruptible<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw stopped();
  return new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(stopped()), { once: true });
    work.then(resolve, reject);
  });
}

function stopped(): RegaugeError {
  return new RegaugeError('interrupted', 'verify was interrupted; its probes were taken away');
}

function addressOf({ apiVersion, kind, metadata: { name, namespace } }: KubeObject) {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}
