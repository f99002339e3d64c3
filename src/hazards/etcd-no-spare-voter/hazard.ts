/** FM-08: taking a control plane down costs etcd its quorum. */
import type { ClusterFacts, NodeFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, listOf, MISSING, unjudged } from '../finding.ts';

export const hazard: Hazard = {
  id: 'etcd-no-spare-voter',
  covers: ['FM-08'],
  title: 'etcd has no voter to spare: a control plane that goes down takes the API with it',
  severity: 'critical',
  holdsFor: 'every distribution with stacked etcd',
  why: 'etcd answers while more than half of its members do. With one or two members, or with one of three already down, the next control plane that reboots or loses its network ends the quorum: the API stops, and with two members a failed return needs a restore.',
  references: [
    'siderolabs/talos#9153',
    'siderolabs/talos#9789',
    'siderolabs/talos#7423',
    'talos:internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go@v1.10.5',
  ],
  foretell,
  signs: { occurrences: ['etcd.quorum-lost'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (!facts.nodes.known) return unjudged(MISSING.nodes);
  const unclear = facts.nodes.value.filter(({ role }) => !role.known);
  if (unclear.length > 0) {
    return unjudged(`role of ${listOf(unclear.map(({ name }) => name))}`);
  }
  const planes = facts.nodes.value.filter(
    ({ role }) => role.known && role.value === 'control-plane',
  );
  // None listed: the control plane is somebody else's, and so is its etcd.
  if (planes.length === 0) return judged();
  const healthy = planes.filter(isReady);
  const quorum = Math.floor(planes.length / 2) + 1;
  if (healthy.length - quorum >= 1) return judged();
  const down = planes.filter((plane) => !isReady(plane)).map(({ name }) => name);
  const now =
    down.length === 0
      ? `There are ${planes.length === 1 ? 'one control plane' : `${planes.length} control planes`}`
      : `Of ${planes.length} control planes ${listOf(down)} ${down.length === 1 ? 'is' : 'are'} not Ready`;
  const alone = planes.length === 1;
  return judged([
    finding(hazard, {
      certainty: 'proven',
      severity: alone ? 'high' : 'critical',
      message: `${now}; etcd needs ${quorum} of ${planes.length} members, so none can be spared. The API is away for as long as the next control plane is down${alone ? ', and with it every step, eviction and webhook of the migration.' : ', and it stays away when that node does not come back.'}`,
      evidence: planes.map(({ source, name }) => evidenceAt(source, name)),
      fix: alone
        ? {
            summary:
              'Take an etcd snapshot, and change this node without a reboot (sandboxes restarted in place). If it must reboot, agree to the API being away meanwhile.',
            command: 'talosctl etcd snapshot db.snapshot',
          }
        : {
            summary:
              'Bring the control planes to three healthy voters before the first of them is touched, and take an etcd snapshot.',
            command: 'talosctl etcd snapshot db.snapshot',
          },
    }),
  ]);
}

function isReady({ object }: NodeFacts): boolean {
  const ready = object.status.conditions?.find(({ type }) => type === 'Ready');
  return ready === undefined || ready.status === 'True';
}
