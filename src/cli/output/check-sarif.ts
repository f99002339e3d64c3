/**
 * A CheckReport as SARIF 2.1.0 (OASIS sarif-v2.1.0-os). Hazards that lacked facts are notifications
 * of the run, not results: they say something about the input, not about a place in it.
 */
import type { Log, Notification, PhysicalLocation, ReportingDescriptor, Result } from 'sarif';
import type { Evidence, Finding, Severity } from '../../model/finding.ts';
import type { Hazard } from '../../model/hazard.ts';
import type { Checked } from './checked.ts';
import { VERSION } from '../version.ts';

const LEVEL: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  info: 'note',
};

/** Code scanning sorts by this number, on the scale of CVSS. */
const SECURITY_SEVERITY: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '3.0',
  info: '0.0',
};

export function toSarif({ report, hazards }: Pick<Checked, 'report' | 'hazards'>): Log {
  const rules = new Map(hazards.map((hazard, index) => [hazard.id, index]));
  return {
    $schema:
      'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'regauge', semanticVersion: VERSION, rules: hazards.map(toRule) } },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: report.unknown.map((unjudged) =>
              toNotification(unjudged, rules),
            ),
          },
        ],
        results: report.findings.map((finding) => toResult(finding, rules)),
      },
    ],
  };
}

function toRule({
  id,
  title,
  severity,
  why,
  holdsFor,
  covers,
  references,
}: Hazard): ReportingDescriptor {
  const sources = references.map((reference) => `- ${reference}`).join('\n');
  return {
    id,
    name: id.replaceAll(/(?:^|-)([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase()),
    shortDescription: { text: title },
    fullDescription: { text: why },
    help: {
      text: `${why}\n\nHolds for: ${holdsFor}\n\nSources:\n${sources}`,
      markdown: `${why}\n\n**Holds for:** ${holdsFor}\n\n**Sources**\n\n${sources}`,
    },
    defaultConfiguration: { level: LEVEL[severity] },
    properties: { tags: [...covers], 'security-severity': SECURITY_SEVERITY[severity] },
  };
}

function toResult(finding: Finding, rules: ReadonlyMap<string, number>): Result {
  const { hazard, severity, certainty, title, message, evidence, fix } = finding;
  const advice =
    fix === null
      ? ''
      : `\n\nFix: ${fix.summary}${fix.patch === undefined ? '' : `\n\n${fix.patch}`}${fix.command === undefined ? '' : `\n\n${fix.command}`}`;
  const [first, ...others] = evidence;
  const ruleIndex = rules.get(hazard);
  return {
    ruleId: hazard,
    ...(ruleIndex === undefined ? {} : { ruleIndex }),
    level: LEVEL[severity],
    message: { text: `${title}. ${message}${advice}` },
    ...(first === undefined ? {} : { locations: [locationOf(first)] }),
    ...(others.length === 0
      ? {}
      : {
          relatedLocations: others.map((place, index) => ({
            id: index + 1,
            ...locationOf(place),
            message: { text: place.source },
          })),
        }),
    partialFingerprints: {
      'hazardAndPlace/v1': `${hazard}:${first?.file ?? first?.source ?? ''}:${first?.path ?? ''}`,
    },
    properties: { severity, certainty, covers: [...finding.covers] },
  };
}

interface SarifLocation {
  readonly physicalLocation?: PhysicalLocation;
  readonly logicalLocations?: { readonly fullyQualifiedName: string; readonly kind: string }[];
}

function locationOf({ source, file, line, column, path }: Evidence): SarifLocation {
  const logical =
    path === undefined && file !== undefined
      ? undefined
      : {
          fullyQualifiedName:
            path === undefined || path === ''
              ? source
              : `${file === undefined ? `${source} ` : ''}${path}`,
          kind: 'member',
        };
  const region =
    line === undefined
      ? {}
      : { region: { startLine: line, ...(column === undefined ? {} : { startColumn: column }) } };
  return {
    ...(file === undefined || file === '-'
      ? {}
      : { physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...region } }),
    ...(logical === undefined ? {} : { logicalLocations: [logical] }),
  };
}

/** A relative path stays relative (code scanning resolves it in the repository). */
function uriOf(file: string): string {
  const path = file.replaceAll('\\', '/').replace(/^(\.\/)+/, '');
  const encoded = path
    .split('/')
    .map((part) => encodeURIComponent(part))
    .join('/');
  return path.startsWith('/') ? `file://${encoded}` : encoded;
}

function toNotification(
  { hazard, missing }: { readonly hazard: string; readonly missing: readonly string[] },
  rules: ReadonlyMap<string, number>,
): Notification {
  const index = rules.get(hazard);
  return {
    level: 'note',
    message: { text: `${hazard} could not be judged in full; not read: ${missing.join('; ')}` },
    associatedRule: { id: hazard, ...(index === undefined ? {} : { index }) },
  };
}
