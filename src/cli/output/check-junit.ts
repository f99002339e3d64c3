/** A CheckReport as JUnit: one case per finding, and one per hazard that found nothing. */
import junit from 'junit-report-builder';
import type { Builder, TestSuite } from 'junit-report-builder';
import { SEVERITIES } from '../../model/finding.ts';
import type { Finding, Severity } from '../../model/finding.ts';
import type { Checked } from './checked.ts';

export function toJunit(
  { report, hazards }: Pick<Checked, 'report' | 'hazards'>,
  failOn: Severity,
): string {
  // The package's types describe its ES build; what Node loads is the builder itself.
  const builder = (junit as unknown as Builder).newBuilder();
  const suite = builder.testSuite().name('regauge check');
  const missing = new Map(report.unknown.map((unjudged) => [unjudged.hazard, unjudged.missing]));
  for (const { id, title } of hazards) {
    const findings = report.findings.filter(({ hazard }) => hazard === id);
    for (const finding of findings) addFinding(suite, finding, failOn);
    if (findings.length > 0) continue;
    const testCase = suite.testCase().className(id).name(printable(title));
    const lacks = missing.get(id);
    if (lacks !== undefined)
      testCase.skipped().standardOutput(printable(`not read: ${lacks.join('; ')}`));
  }
  return builder.build();
}

function addFinding(suite: TestSuite, finding: Finding, failOn: Severity): void {
  const place = finding.evidence[0];
  const name = place === undefined ? finding.title : `${finding.title} (${place.source})`;
  const testCase = suite.testCase().className(finding.hazard).name(printable(name));
  if (place?.file !== undefined) testCase.file(printable(place.file));
  const fix =
    finding.fix === null
      ? ''
      : `\n\nFix: ${finding.fix.summary}\n${finding.fix.patch ?? ''}${finding.fix.command ?? ''}`;
  const text = printable(`${finding.severity}: ${finding.message}${fix}`);
  if (SEVERITIES.indexOf(finding.severity) <= SEVERITIES.indexOf(failOn))
    testCase.failure(text, finding.severity);
  else testCase.standardOutput(text);
}

/** XML 1.0 has no way to write most control characters. */
function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, '\uFFFD');
}
