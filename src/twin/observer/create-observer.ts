/**
 * Measures a rehearsal from outside, knowing everything: pods, paths, policies, volumes, tokens and
 * invariants. It follows changes and does nothing by itself; `finish` says what it came to.
 */
import type { Occurrence, OccurrenceId } from '../../model/occurrence.ts';
import type { PathObservation, RehearsalSummary } from '../../model/rehearsal.ts';
import type { TwinProber } from '../ports/prober.ts';
import type { World } from '../world.ts';
import { type InvariantReport, Invariants } from './invariants.ts';
import type { ObservedFailure } from '../../model/observed-failure.ts';
import { PathReport } from './path-report.ts';
import { PodLineages } from './pod-lineages.ts';
import { type PodTrouble, reportPods } from './pod-report.ts';
import { PolicyGap } from './policy-gap.ts';
import { standingReasons } from './standing-reasons.ts';
import { WorkloadOutage } from './workload-outage.ts';

export interface ObservationReport {
  readonly summary: RehearsalSummary;
  readonly failures: readonly ObservedFailure[];
  readonly invariants: readonly InvariantReport[];
  /** Broken invariants that a further run cannot undo: the rehearsal was harmful. */
  readonly lasting: readonly string[];
  readonly paths: readonly PathObservation[];
}

export interface Observer {
  /** What was measured up to now; may be asked again later. */
  finish(): ObservationReport;
}

/** Begins to measure; the prober is started by whoever runs the plan. */
export function createObserver(world: World, prober: TwinProber): Observer {
  const before = world.api.unauthorizedCount();
  const firstOccurrence = world.kernel.occurrences.length;
  const lineages = new PodLineages(world);
  const invariants = new Invariants(world);
  const paths = new PathReport(world, prober);
  const policies = new PolicyGap(world);
  const workloads = new WorkloadOutage(world);
  return {
    finish: () => {
      const observed = prober.observe();
      const occurrences = world.kernel.occurrences.slice(firstOccurrence);
      const pods = reportPods(world, lineages, podTroubles(world, occurrences));
      const storage = volumeFailures(world);
      const { failures, ...counts } = pods;
      const summary: RehearsalSummary = {
        nodes: world.nodes.size,
        ...counts,
        dnsOutageSeconds: paths.dnsOutageSeconds(),
        apiUnauthorized: world.api.unauthorizedCount() - before,
        volumesStuck: storage.length,
        policyGapSeconds: policies.seconds(),
        longestPathGapMs: observed.reduce(
          (most, { longestGapMs }) => Math.max(most, longestGapMs),
          0,
        ),
        makespanSeconds: Math.round(world.kernel.now() / 100) / 10,
        coveredWorkloads: workloads.report(),
      };
      const reports = [...invariants.report(), policyReport(policies)];
      return {
        summary,
        failures: [
          ...failures,
          ...paths.failures(),
          ...storage,
          ...unauthorizedFailures(occurrences),
          ...policyFailures(policies),
        ],
        invariants: reports,
        lasting: invariants.lasting(),
        paths: observed,
      };
    },
  };
}

/** Kinds in which a kubelet says why a pod does not come up, or a program why it ended. */
const TROUBLE =
  /^(kubelet\.(?!pod-ready)|scheduler\.|controller\.|cilium-agent\.(exited|api-lost|service-address|kube-prism)|flannel\.not-running)/;

function podTroubles(
  world: World,
  occurrences: readonly Occurrence[],
): ReadonlyMap<string, PodTrouble> {
  const troubles = new Map<string, PodTrouble>();
  const unmanaged = new Map<string, OccurrenceId>();
  for (const { kind, subject, node, message, id } of occurrences) {
    if (kind === 'cilium-agent.conf-management-disabled' && node !== undefined)
      unmanaged.set(node, id);
    if (subject?.kind !== 'Pod' || !TROUBLE.test(kind)) continue;
    const key = `${subject.namespace ?? ''}/${subject.name}`;
    // That containers are unready is a consequence; a reason told before stays the reason.
    if (kind === 'kubelet.pod-unready' && troubles.has(key)) continue;
    const reasons =
      kind === 'kubelet.sandbox-failed' ? standingReasons(world, node, message, unmanaged) : [];
    troubles.set(key, { message, because: [id, ...reasons.filter((reason) => reason !== id)] });
  }
  return troubles;
}

/** An attachment with an error, or without an answer for longer than the kubelet's patience. */
function volumeFailures(world: World): readonly ObservedFailure[] {
  const now = world.kernel.now();
  return world.store.list('VolumeAttachment').flatMap((attachment) => {
    const { status, metadata, spec } = attachment;
    if (status?.attached === true || metadata.deletionTimestamp !== undefined) return [];
    const made = Date.parse(metadata.creationTimestamp ?? '');
    // A time later than now was told by another clock: the attachment is older than the twin.
    const at = Number.isNaN(made) || made > now ? 0 : made;
    const error = status?.attachError?.message;
    if (error === undefined && now - at < ATTACH_PATIENCE_MS) return [];
    return [
      {
        subject: { kind: 'VolumeAttachment', name: metadata.name, node: spec.nodeName },
        symptom: 'volume-not-attached',
        message:
          error ??
          `timed out waiting for external-attacher of ${spec.attacher} CSI driver to attach volume`,
        at: at / 1000,
        because: world.store.causesOf(attachment),
      },
    ];
  });
}

/** KK: kubelet and attach-detach controller wait 2 min for an attachment. */
const ATTACH_PATIENCE_MS = 120_000;

function unauthorizedFailures(occurrences: readonly Occurrence[]): readonly ObservedFailure[] {
  return occurrences
    .filter(({ kind, subject }) => kind.startsWith('token.') && subject !== undefined)
    .map(({ id, subject, node, message, at }) => ({
      subject: { kind: 'Pod', name: '', ...subject, ...(node === undefined ? {} : { node }) },
      symptom: 'unauthorized',
      message,
      at: at / 1000,
      because: [id],
    }));
}

function policyReport({ firstAt }: PolicyGap): InvariantReport {
  const name = 'what policies forbade stays forbidden';
  if (firstAt === undefined) return { name, held: true };
  const message = 'pods that policies select run on a network that enforces none';
  return { name, held: false, firstViolation: { at: firstAt / 1000, message } };
}

function policyFailures(policies: PolicyGap): readonly ObservedFailure[] {
  if (policies.firstAt === undefined) return [];
  return [
    {
      subject: { kind: 'NetworkPolicy', name: 'all' },
      symptom: 'policy-not-enforced',
      message: `pods that policies select ran on a network that enforces none, for ${policies.seconds()} s`,
      at: policies.firstAt / 1000,
      because: [],
    },
  ];
}
