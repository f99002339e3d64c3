/**
 * Gates on what the cluster complains of: sandboxes that cannot be made, and calls that are answered
 * with 401. Both are compared with the time before the first step. Of 401s some are written into events
 * (a kubelet that gets no token, a CNI plugin whose API call is refused, a controller), which say whose
 * they are; all are counted by the API server that gave them (`refused-requests.ts`). Where that one does
 * not tell, which is said when the run begins, events are all there is.
 */
import type { PodObject } from '../../model/kubernetes.ts';
import type { Ports } from '../../ports/index.ts';
import { isOver } from '../../steps/pods.ts';
import { fails, HOLDS, type Verdict } from '../../steps/step-module.ts';
import type { GateModule } from './gate-context.ts';
import {
  isMore,
  perMinute,
  refusedBefore,
  refusedBeforeOf,
  type RefusedRequests,
} from './refused-requests.ts';
import type { Complaint, Warnings } from './warnings.ts';

const SANDBOX = 'FailedCreatePodSandBox';
/** The words of every API server (apimachinery NewUnauthorized), in whatever a client makes of them. */
const UNAUTHORIZED = /\bUnauthorized\b|\bstatus code:? 401\b/;
/** A client that is refused asks again within a minute; a kubelet tells of it as often. */
const RATE_MS = 60_000;
/** So many pods are looked at for one answer. */
const PODS_MAX = 50;

/** A pod without a sandbox, whose like had one before the run, holds the run up. */
export const sandboxesMade: GateModule<'sandboxes-made'> = async (context) => {
  const { ports, warnings, failingBefore } = context;
  const suspects = (await warnings.look()).filter(
    (complaint) =>
      complaint.event.reason === SANDBOX && !failingBefore.has(sandboxKey(complaint.about)),
  );
  const failing = await withoutSandbox(ports, suspects);
  const [first] = failing;
  if (first === undefined) return HOLDS;
  const { involvedObject, message = 'no reason is told', source } = first.event;
  const more = failing.length > 1 ? ` (and ${failing.length - 1} more)` : '';
  return fails(
    `${involvedObject.namespace ?? 'default'}/${involvedObject.name} gets no sandbox${source?.host === undefined ? '' : ` on ${source.host}`}${more}, which none of its kind lacked before the run; ${rateOf(suspects, warnings)}: ${message}`,
  );
};

/** None that was not there before the run, in the last minute. */
export const tokensAccepted: GateModule<'tokens-accepted'> = async ({
  warnings,
  failingBefore,
}) => {
  const told = (await warnings.look()).filter(
    (complaint) =>
      isUnauthorized(complaint) && !failingBefore.has(unauthorizedKey(complaint.about)),
  );
  const recent = told.filter((complaint) => isRecent(complaint, warnings));
  const [first] = recent;
  if (first === undefined) return countedRefusals(warnings.refused, failingBefore);
  const { involvedObject, message = '', reason = 'an event' } = first.event;
  return fails(
    `${involvedObject.kind} ${involvedObject.namespace ?? ''}/${involvedObject.name} was answered 401 in the last minute (${reason}), and was not before the run; ${rateOf(told, warnings)}: ${message}`,
  );
};

/** By the API server's own count: no more than before the run, in the last minute. */
async function countedRefusals(
  refused: RefusedRequests,
  failingBefore: ReadonlySet<string>,
): Promise<Verdict> {
  const { look, unknown } = refusedBeforeOf(failingBefore);
  if (unknown !== undefined) return HOLDS;
  const growth = await refused.growth(look);
  if (growth === undefined)
    return fails(
      'another API server answers than before, and how often it answers 401 is known in a minute',
    );
  if (!isMore(growth, look)) return HOLDS;
  const { count, ms } = growth;
  const before = `${Number(perMinute(look).toPrecision(2))} a minute before the run`;
  return fails(
    `the API server answered ${count} requests with 401 in the last ${Math.round(ms / 1_000)} s (${before}): somebody’s token is not taken; its log says why (“Unable to authenticate the request”)`,
  );
}

/** What is wrong already, as the keys that gates leave out; to be asked before the first step. */
export async function complainedBefore(ports: Ports, warnings: Warnings): Promise<string[]> {
  const refused = await refusedBefore(warnings.refused);
  const complaints = await warnings.look();
  const failing = await withoutSandbox(
    ports,
    complaints.filter(({ event }) => event.reason === SANDBOX),
  );
  return [
    ...refused,
    ...new Set([
      ...failing.map(({ about }) => sandboxKey(about)),
      ...complaints.filter(isUnauthorized).map(({ about }) => unauthorizedKey(about)),
    ]),
  ];
}

/** The newest complaint of each pod that is there, is to run, and has no sandbox now. */
async function withoutSandbox(
  { kubernetes }: Ports,
  complaints: readonly Complaint[],
): Promise<readonly Complaint[]> {
  const byPod = new Map<string, Complaint>();
  for (const complaint of complaints) {
    const { namespace = 'default', name } = complaint.event.involvedObject;
    byPod.set(`${namespace}/${name}`, complaint);
  }
  const failing: Complaint[] = [];
  let looked = 0;
  for (const complaint of byPod.values()) {
    if (looked >= PODS_MAX) break;
    looked += 1;
    const { namespace = 'default', name } = complaint.event.involvedObject;
    const pod = await kubernetes.get<PodObject>({ apiVersion: 'v1', kind: 'Pod', namespace, name });
    if (pod !== undefined && lacksSandbox(pod)) failing.push(complaint);
  }
  return failing;
}

/** Condition of kubelets from 1.29 on; before, an address says that there is one (KK status_manager.go). */
function lacksSandbox(pod: PodObject): boolean {
  if (isOver(pod) || pod.metadata.deletionTimestamp !== undefined) return false;
  const condition = pod.status.conditions?.find(({ type }) => type === 'PodReadyToStartContainers');
  return condition === undefined
    ? pod.status.podIP === undefined || pod.status.podIP === ''
    : condition.status !== 'True';
}

function isUnauthorized({ event }: Complaint): boolean {
  return UNAUTHORIZED.test(event.message ?? '');
}

function isRecent({ grewAt }: Complaint, warnings: Warnings): boolean {
  return warnings.now() - grewAt < RATE_MS;
}

function rateOf(complaints: readonly Complaint[], warnings: Warnings): string {
  const recent = complaints.filter((complaint) => isRecent(complaint, warnings)).length;
  return `${recent} such ${recent === 1 ? 'event' : 'events'} in the last minute`;
}

function sandboxKey(about: string): string {
  return `${SANDBOX} ${about}`;
}

function unauthorizedKey(about: string): string {
  return `Unauthorized ${about}`;
}
