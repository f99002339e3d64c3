/** FM-62, FM-18: an upgrade with the plain installer image drops the extensions storage needs. */
import type { Located } from '../../model/config-tree.ts';
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, judged, MISSING, unjudged } from '../finding.ts';
import { hasLonghorn } from '../longhorn.ts';

export const hazard: Hazard = {
  id: 'talos-extensions-dropped',
  covers: ['FM-62', 'FM-18'],
  title: 'The Talos image has no extensions, and Longhorn needs two',
  severity: 'high',
  holdsFor: 'Talos 1.5 to 1.13 with Longhorn',
  why: 'A Talos upgrade boots exactly what the installer image holds. The plain siderolabs/installer holds no extensions, and Longhorn needs iscsi-tools and util-linux-tools on every node; after an upgrade with it, volumes no longer attach, which looks like a fault of the new network.',
  references: [
    'longhorn:advanced-resources/os-distro-specific/talos-linux-support.md',
    'talos:pkg/machinery/config/types/v1alpha1/v1alpha1_types.go@v1.13.9',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const images = [...upgradeImages(facts), ...installImages(facts)].filter(({ value }) =>
    isPlain(value),
  );
  if (facts.machineConfigs.length === 0 && facts.input.runbooks.length === 0) {
    return unjudged(MISSING.machineConfigs);
  }
  if (images.length === 0) return judged();
  if (!facts.cluster.hasLiveObjects && !hasLonghorn(facts)) return unjudged(MISSING.workloads);
  if (!hasLonghorn(facts)) return judged();
  const [image] = images;
  return judged([
    finding(hazard, {
      certainty: 'likely',
      message: `${image?.value} is the plain installer, which holds no extensions. Longhorn runs in this cluster and needs iscsi-tools and util-linux-tools on the nodes; a node upgraded with this image attaches no volume any more, whatever its network does.`,
      evidence: images.map(({ source, value }) => evidenceAt(source, value)),
      fix: {
        summary:
          'Use the image of the schematic that the nodes run now (talosctl get extensions tells what is in it), and keep the OS upgrade out of the CNI change.',
        command: 'talosctl get extensions',
      },
    }),
  ]);
}

function isPlain(image: string): boolean {
  return /(^|\/)siderolabs\/installer(:|@|$)/.test(image);
}

function installImages({ machineConfigs }: ClusterFacts): readonly Located<string>[] {
  return machineConfigs.flatMap(({ installImage }) =>
    installImage.known ? [{ value: installImage.value, source: installImage.source }] : [],
  );
}

function upgradeImages({ input }: ClusterFacts): readonly Located<string>[] {
  return input.runbooks.flatMap(({ runbook, source }) =>
    runbook.steps.flatMap((step, index) =>
      'talos' in step && step.talos.action === 'upgrade'
        ? [{ value: step.talos.image, source: { ...source, path: `steps[${index}].talos.image` } }]
        : [],
    ),
  );
}
