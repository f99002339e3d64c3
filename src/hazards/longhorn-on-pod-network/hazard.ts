/** FM-18: Longhorn's data and control paths run over the network that is changed. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judged, judgedInPart, MISSING, missingUnlessLive } from '../finding.ts';
import { hasLonghorn, longhornSetting, longhornVolumes } from '../longhorn.ts';
import { runsImage, templates, textAt } from '../objects.ts';

export const hazard: Hazard = {
  id: 'longhorn-on-pod-network',
  covers: ['FM-18'],
  title: "Longhorn's data path runs over the pod network that is changed",
  severity: 'high',
  holdsFor: 'Longhorn 1.4 to 1.11 without a storage network',
  why: 'Engines talk to replicas by the pod addresses of instance managers, and the CSI plugin reaches the manager through Service longhorn-backend. A node whose pods get a new network changes those addresses: engines mark the replicas there as failed and rebuild them, and attachments wait while the two halves cannot reach each other.',
  references: [
    'longhorn:references/networking.md',
    'longhorn-manager:csi/controller_server.go',
    'cilium/cilium#16669',
    'longhorn/longhorn#12485',
  ],
  foretell,
  signs: { occurrences: ['longhorn.backend-unreachable', 'longhorn.instance-manager-down'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  if (!hasLonghorn(facts)) {
    return judgedInPart([], missingUnlessLive(facts, MISSING.customObjects));
  }
  const storageNetwork = longhornSetting(facts, 'storage-network');
  if (storageNetwork !== undefined && storageNetwork !== '') return judged();
  const attached = longhornVolumes(facts).filter(
    (volume) => textAt(volume, 'status.state') === 'attached',
  );
  const manager = templates(facts).find(({ spec }) => runsImage(spec, 'longhorn-manager'));
  const evidence = [
    ...(manager === undefined ? [] : [evidenceAt(manager.owner.source)]),
    ...attached.map(({ object, source }) => evidenceAt(source, object.metadata.name)),
    ...facts.workloads.persistentVolumes
      .filter(({ value }) => value.spec.csi?.driver === 'driver.longhorn.io')
      .map(({ value, source }) => evidenceAt(source, value.metadata.name)),
  ];
  const volumes =
    attached.length === 0
      ? ''
      : ` ${attached.length} of its volumes ${attached.length === 1 ? 'is' : 'are'} attached now.`;
  return judged([
    finding(hazard, {
      certainty: storageNetwork === undefined ? 'likely' : 'proven',
      message: `Longhorn runs in this cluster without a storage network, so its engines reach their replicas by pod addresses.${volumes} Each node that changes its network restarts its instance manager with a new address: the replicas there fail and are rebuilt, and two nodes changed before a rebuild ends can fault a volume. Where old and new pods cannot reach each other, attaching stops altogether.`,
      evidence: firstOf(evidence),
      fix: {
        summary:
          'One node at a time, with every attached volume healthy as the gate before the next; keep old and new network routed to each other all the while. Never delete instance managers to "kick" Longhorn.',
      },
    }),
  ]);
}
