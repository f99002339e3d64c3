/** FM-62: an operating system upgrade in the middle of the CNI change. */
import type { ClusterFacts, MachineConfigFacts } from '../../model/facts.ts';
import type { Runbook, RunbookStep } from '../../model/runbook.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judged, judgedInPart, listOf, MISSING } from '../finding.ts';
import { cniNone, stated, statedEvidence } from '../talos.ts';

export const hazard: Hazard = {
  id: 'os-upgrade-mixed-in',
  covers: ['FM-62'],
  title: 'An OS upgrade is mixed into the CNI change',
  severity: 'high',
  holdsFor: 'Every distribution; the reading of configs and runbooks is for Talos',
  why: 'Two things change per node, and nobody can tell which of them broke it. The reboot of the upgrade empties /run and restarts every pod at the moment when the choice of the CNI is unsettled, and rolling the OS back rolls files of the CNI back with it.',
  references: [
    'talos:internal/pkg/mount/v2/pseudo.go@v1.10.5',
    'talos:internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_sequencer.go@v1.13.9',
  ],
  foretell,
  signs: { occurrences: ['talos.upgrade-started'] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const { runbooks } = facts.input;
  const found = [
    ...runbooks.flatMap(inRunbook),
    ...facts.machineConfigs.flatMap(inOnePatch),
    ...severalVersions(facts),
    ...pendingUpgrade(facts),
  ];
  if (found.length > 0) return judged(found);
  const untold = restartUntold(facts);
  if (untold.length > 0) return judged(untold);
  const readAnything = runbooks.length > 0 || facts.machineConfigs.length > 0 || facts.nodes.known;
  return readAnything ? judged() : judgedInPart([], [MISSING.nodes]);
}

/**
 * The files that start an incident of this kind: Talos is told to leave the CNI alone, and nothing
 * says how the nodes come over. Many believe that a restart is due, and take an upgrade along.
 */
function restartUntold({ input, machineConfigs, targets }: ClusterFacts): readonly Finding[] {
  const taken = machineConfigs.flatMap((config) => {
    const none = config.kind === 'patch' ? cniNone(config) : undefined;
    return none === undefined ? [] : [none];
  });
  if (taken.length === 0 || targets.length === 0 || input.runbooks.length > 0) return [];
  return [
    finding(hazard, {
      severity: 'info',
      certainty: 'possible',
      message:
        'Talos takes cni.name: none live, without a reboot, and nothing here says how the nodes come over. An OS upgrade for the reboot’s sake would change two things per node at once.',
      evidence: firstOf(taken),
      fix: {
        summary: `${FIX.summary} Write down the commands as a runbook to have them judged and rehearsed.`,
        command: 'regauge rehearse <snapshot> --runbook steps.yaml',
      },
    }),
  ];
}

const FIX = {
  summary:
    'Finish the OS upgrade on every node first, or put it off until the migration is done and its clean-up verified. One change per node at a time.',
};

type ReadRunbook = ClusterFacts['input']['runbooks'][number];

function inRunbook({ runbook, source, tree }: ReadRunbook): readonly Finding[] {
  const upgrades = stepsWhere(
    runbook,
    (step) => 'talos' in step && step.talos.action === 'upgrade',
  );
  const changes = stepsWhere(runbook, changesCni);
  if (upgrades.length === 0 || changes.length === 0) return [];
  const evidence = [...upgrades, ...changes].map((index) => {
    const at = tree?.at(['steps', index])?.source ?? source;
    return evidenceAt({ ...at, path: `steps[${index}]` }, titleOf(runbook.steps[index]));
  });
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `The runbook upgrades the OS (${stepNames(upgrades)}) between steps that change the CNI (${stepNames(changes)}).`,
      evidence: firstOf(evidence),
      fix: FIX,
    }),
  ];
}

function stepsWhere(runbook: Runbook, holds: (step: RunbookStep) => boolean): readonly number[] {
  return runbook.steps.flatMap((step, index) => (holds(step) ? [index] : []));
}

function changesCni(step: RunbookStep): boolean {
  if ('helm' in step) return true;
  return (
    'talos' in step && step.talos.action === 'patch' && /\bcni\b|FlannelCNI/.test(step.talos.patch)
  );
}

function stepNames(indices: readonly number[]): string {
  const names = listOf(indices.map((index) => String(index + 1)));
  return indices.length === 1 ? `step ${names}` : `steps ${names}`;
}

function titleOf(step: RunbookStep | undefined): string {
  if (step?.title !== undefined) return step.title;
  if (step !== undefined && 'talos' in step) return `talos ${step.talos.action}`;
  return step !== undefined && 'helm' in step ? `helm ${step.helm.action}` : 'step';
}

/** One patch that carries both. */
function inOnePatch(config: MachineConfigFacts): readonly Finding[] {
  const none = cniNone(config);
  const image = stated(config, 'installImage');
  if (config.kind !== 'patch' || none === undefined || image === undefined) return [];
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `One patch takes the CNI away and names another installer image (${String(image.value)}).`,
      evidence: [statedEvidence(image), none],
      fix: FIX,
    }),
  ];
}

/** Nodes that do not run the same release are in the middle of an upgrade. */
function severalVersions(facts: ClusterFacts): readonly Finding[] {
  const nodes = facts.nodes.known ? facts.nodes.value : [];
  const running = nodes.flatMap((node) =>
    node.talosVersion.known ? [{ node, version: node.talosVersion.value }] : [],
  );
  const versions = [...new Set(running.map(({ version }) => version))];
  if (versions.length < 2 || facts.targets.length === 0) return [];
  const evidence: readonly Evidence[] = versions.flatMap((version) => {
    const one = running.find((entry) => entry.version === version);
    return one === undefined
      ? []
      : [evidenceAt({ ...one.node.source, path: 'status.nodeInfo.osImage' }, version)];
  });
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `The nodes run Talos ${listOf(versions)}: an upgrade is under way while the CNI is to be changed.`,
      evidence: firstOf(evidence),
      fix: FIX,
    }),
  ];
}

/** An installer image that is not what the node runs: the next upgrade or reset brings it. */
function pendingUpgrade(facts: ClusterFacts): readonly Finding[] {
  const { talosVersion } = facts.cluster;
  if (!talosVersion.known || facts.targets.length === 0) return [];
  const running = talosVersion.value.replace(/^v/, '');
  const pending = facts.machineConfigs.flatMap((config) => {
    const image = stated(config, 'installImage');
    const tag = /:v?(\d+\.\d+\.\d+[^@]*)/.exec(String(image?.value))?.[1];
    if (image === undefined || tag === undefined || tag === running) return [];
    return config.kind === 'patch' ? [{ image, tag }] : [];
  });
  if (pending.length === 0) return [];
  return [
    finding(hazard, {
      certainty: 'likely',
      message: `The nodes run Talos ${running} and a patch names the installer of ${listOf([...new Set(pending.map(({ tag }) => tag))])}.`,
      evidence: firstOf(pending.map(({ image }) => statedEvidence(image))),
      fix: FIX,
    }),
  ];
}
