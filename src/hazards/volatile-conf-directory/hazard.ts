/** FM-50: from Talos 1.14 `/etc/cni` is empty at every boot, and the first writer wins. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { talosFileSystem } from '../../knowledge/talos-versions.ts';
import { finding, judged, judgedInPart, MISSING } from '../finding.ts';
import { isTalos, MISSING_TALOS_VERSION, missingTalos } from '../talos.ts';

export const hazard: Hazard = {
  id: 'volatile-conf-directory',
  covers: ['FM-50'],
  title: 'The conf directory is empty after every boot: whoever starts first provides the CNI',
  severity: 'medium',
  holdsFor: 'Talos 1.14 (read at rc.1)',
  why: 'Up to 1.13 /etc/cni is an overlay on disk; from 1.14 it is a tmpfs. After a boot no conf is there, renamed ones included, until a DaemonSet writes one. On a migrated node where the old DaemonSet still runs, its conf may be the only one for as long as the Cilium agent takes to start, and pods of that time get the old network.',
  references: [
    'talos:internal/app/machined/pkg/runtime/v1alpha2/etc_overlay.go@v1.14.0-rc.1',
    'siderolabs/talos@f146c6a18',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const missing = missingTalos(facts);
  if (missing.length > 0) return judgedInPart([], missing);
  if (isTalos(facts) !== true) return judged();
  const { talosVersion } = facts.cluster;
  if (!talosVersion.known) return judgedInPart([], [MISSING_TALOS_VERSION]);
  if (talosFileSystem(talosVersion.value).etcCni !== 'tmpfs') return judged();
  const { sourceCni } = facts;
  if (!sourceCni.known) return judgedInPart([], [MISSING.sourceCni]);
  if (sourceCni.value === 'cilium' || sourceCni.value === 'none') return judged();
  return judged([
    finding(hazard, {
      certainty: 'likely',
      message: `The nodes run Talos ${talosVersion.value}, where /etc/cni is a tmpfs. After each reboot the DaemonSet of ${sourceCni.value} and the Cilium agent race for the first conf; a conf that was renamed to .cilium_bak is gone, and so is one that was put there by hand.`,
      evidence: [
        evidenceAt(talosVersion.source, talosVersion.value),
        evidenceAt(sourceCni.source, sourceCni.value),
      ],
      fix: {
        summary:
          "Keep the old DaemonSet off a node from the moment it is migrated (a node affinity on the migration's label), before its first reboot.",
      },
    }),
  ]);
}
