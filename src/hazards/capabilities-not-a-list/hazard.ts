/** FM-71: capabilities written as `"{A,B}"`, which is a list only on the command line. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { atLeast } from '../../base/versions.ts';
import { chartTargets, missingTargets, type ChartTarget } from '../chart.ts';
import { finding, judgedInPart } from '../finding.ts';

export const hazard: Hazard = {
  id: 'capabilities-not-a-list',
  covers: ['FM-71'],
  title: 'Capabilities are one string, not a list',
  severity: 'critical',
  holdsFor: 'Cilium charts 1.13 to 1.20',
  why: 'Braces, {A,B}, are the way to write a list after --set. In a values file it is a string. From chart 1.16 the schema asks for an array and nothing renders; before, the string reaches the DaemonSet and the API server refuses it.',
  references: [
    'charts:cilium/values.schema.json@1.16.5',
    'charts:cilium/templates/cilium-agent/daemonset.yaml@1.15.19',
    'cilium/cilium#30631',
  ],
  foretell,
  signs: { occurrences: ['helm.capabilities-refused'] },
};

const ROLES = ['ciliumAgent', 'cleanCiliumState', 'mountCgroup', 'applySysctlOverwrites'];

function foretell(facts: ClusterFacts): Foretelling {
  const findings = chartTargets(facts).flatMap((chart) =>
    ROLES.flatMap((role) => judge(chart, role)),
  );
  return judgedInPart(findings, missingTargets(facts));
}

function judge(chart: ChartTarget, role: string): readonly Finding[] {
  const path = `securityContext.capabilities.${role}`;
  const set = chart.target.at(path);
  if (set === undefined || set.value === null || Array.isArray(set.value)) return [];
  const names = String(set.value)
    .replace(/^\{|\}$/g, '')
    .split(',')
    .map((name) => name.trim());
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `${path} is the ${typeof set.value} ${JSON.stringify(set.value)}. ${effect(chart)}`,
      evidence: [evidenceAt(set.source, set.value)],
      fix: { summary: 'Write a YAML list.', patch: patch(role, names) },
    }),
  ];
}

function effect({ versions, versionKnown }: ChartTarget): string {
  const schema =
    "The chart's schema expects an array, so Helm refuses the values as a whole and installs nothing.";
  const server =
    'The template passes it on as it is, and the API server refuses the DaemonSet: `add` must be a list.';
  if (!versionKnown) return `From chart 1.16: ${schema} Before: ${server}`;
  return versions.every((version) => atLeast(version, '1.16.0')) ? schema : server;
}

function patch(role: string, names: readonly string[]): string {
  const entries = names.map((name) => `      - ${name}\n`).join('');
  return `securityContext:\n  capabilities:\n    ${role}:\n${entries}`;
}
