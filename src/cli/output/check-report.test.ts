/** The three printed forms of a CheckReport, word for word. */
import { describe, expect, it } from 'vitest';
import type { CheckReport, Finding } from '../../model/finding.ts';
import type { Hazard } from '../../model/hazard.ts';
import type { Checked } from './checked.ts';
import { toJunit } from './check-junit.ts';
import { toSarif } from './check-sarif.ts';
import { renderCheck } from './check-text.ts';

const VALUES = [
  '# values',
  '',
  'kubeProxyReplacement: strict  # all of it',
  'cni:',
  '\texclusive: false',
];

const STRICT: Finding = {
  hazard: 'chart-values',
  covers: ['FM-31'],
  severity: 'critical',
  certainty: 'proven',
  title: 'The chart does not render',
  message:
    'From 1.16.0 on the template fails unless the value is true or false, so nothing is installed.',
  evidence: [
    {
      source: 'my values.yaml:3:23',
      file: 'my values.yaml',
      path: 'kubeProxyReplacement',
      line: 3,
      column: 23,
      value: 'strict',
    },
    { source: 'Node cp-1', path: 'status.nodeInfo', value: { a: 1 } },
  ],
  fix: {
    summary: 'Write true.',
    patch: 'kubeProxyReplacement: true\n',
    command: 'helm template …',
  },
  references: ['charts:a@1.16.0', 'b', 'c', 'd'],
};

const BUDGET: Finding = {
  ...STRICT,
  hazard: 'budget-deadlock',
  covers: ['FM-17'],
  severity: 'low',
  certainty: 'likely',
  title: 'A budget allows no eviction',
  message: 'The drain never ends.',
  evidence: [{ source: 'PodDisruptionBudget shop/web', path: 'spec.minAvailable', value: 1 }],
  fix: null,
  references: [],
};

const HAZARDS: readonly Hazard[] = ['chart-values', 'budget-deadlock', 'quiet', 'blind'].map(
  (id) => ({
    id,
    covers: ['FM-01'],
    title: `Title of ${id}`,
    severity: 'high',
    holdsFor: 'all',
    why: 'Because.',
    references: ['source'],
    foretell: () => ({ findings: [], missing: [] }),
    signs: { occurrences: [] },
  }),
);

function checked(findings: readonly Finding[], unknown: CheckReport['unknown'] = []): Checked {
  const summary = {
    critical: 0,
    high: 0,
    medium: 0,
    low: 0,
    info: 0,
    unknown: unknown.length,
    hazardsEvaluated: 4,
  };
  for (const { severity } of findings) summary[severity] += 1;
  return {
    report: { apiVersion: 'regauge.dev/v1', kind: 'CheckReport', findings, unknown, summary },
    hazards: HAZARDS,
    leftOut: [],
    bundles: [],
    lineOf: (file, line) => (file === 'my values.yaml' ? VALUES[line - 1] : undefined),
  };
}

const PLAIN = { colour: false, width: 60 };

describe('as text', () => {
  it('says where, quotes the line, and gives mechanism, fix and sources', () => {
    const unknown = [
      { hazard: 'blind', missing: ['Nodes (kubectl get nodes -o json)'] },
      { hazard: 'quiet', missing: ['Nodes (kubectl get nodes -o json)'] },
    ];
    expect(
      renderCheck(
        {
          ...checked([STRICT, BUDGET], unknown),
          leftOut: [{ path: 'x.md', reason: 'no document' }],
        },
        PLAIN,
      ),
    ).toBe(
      `CRITICAL  The chart does not render
  my values.yaml:3:23
     3 | kubeProxyReplacement: strict  # all of it
       |                       ^^^^^^
  From 1.16.0 on the template fails unless the value is true
  or false, so nothing is installed.
  also Node cp-1 status.nodeInfo = {"a":1}
  fix  Write true.
       kubeProxyReplacement: true
       $ helm template …
  chart-values · FM-31 · charts:a@1.16.0, b, c +1

LOW  A budget allows no eviction (likely)
  PodDisruptionBudget shop/web spec.minAvailable = 1
  The drain never ends.
  budget-deadlock · FM-17

Not judged, for lack of
   2  Nodes (kubectl get nodes -o json)

Left out
  x.md: no document

1 critical, 1 low; 2 could not be judged in full (4 hazards looked for)
`,
    );
  });

  it('says that nothing was found', () => {
    expect(renderCheck(checked([]), PLAIN)).toBe('nothing found (4 hazards looked for)\n');
  });

  it('keeps the caret under the value behind tabs and in lines wider than the terminal', () => {
    const tabbed: Finding = {
      ...BUDGET,
      evidence: [
        {
          source: 'my values.yaml:5:13',
          file: 'my values.yaml',
          line: 5,
          column: 13,
          value: false,
        },
      ],
    };
    expect(renderCheck(checked([tabbed]), PLAIN)).toContain(
      '     5 | \texclusive: false\n       | \t           ^^^^^\n',
    );
    const long = {
      ...checked([
        {
          ...BUDGET,
          evidence: [{ source: 'f:1:201', file: 'f', line: 1, column: 201, value: 'here' }],
        },
      ]),
      lineOf: () => `${'x'.repeat(200)}here${'y'.repeat(200)}`,
    };
    const lines = renderCheck(long, PLAIN).split('\n');
    const quote = lines.findIndex((line) => line.includes('here'));
    expect(lines[quote]?.indexOf('here')).toBe(lines[quote + 1]?.indexOf('^^^^'));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
  });

  it('colours only when asked', () => {
    expect(renderCheck(checked([STRICT]), PLAIN)).not.toContain('\u001B');
    expect(renderCheck(checked([STRICT]), { ...PLAIN, colour: true })).toContain('\u001B[31m');
  });
});

describe('as SARIF', () => {
  const log = toSarif(checked([STRICT, BUDGET], [{ hazard: 'blind', missing: ['Nodes', 'Pods'] }]));
  const [run] = log.runs;

  it('describes every hazard as a rule with help', () => {
    expect(run?.tool.driver.rules?.map(({ id, name }) => [id, name])).toEqual([
      ['chart-values', 'ChartValues'],
      ['budget-deadlock', 'BudgetDeadlock'],
      ['quiet', 'Quiet'],
      ['blind', 'Blind'],
    ]);
    expect(run?.tool.driver.rules?.[0]).toMatchObject({
      help: { text: expect.stringContaining('Because.') as string },
      defaultConfiguration: { level: 'error' },
      properties: { 'security-severity': '8.0' },
    });
  });

  it('places results by URI and region, or by name where there is no file', () => {
    expect(run?.results?.[0]).toMatchObject({
      ruleId: 'chart-values',
      ruleIndex: 0,
      level: 'error',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'my%20values.yaml' },
            region: { startLine: 3, startColumn: 23 },
          },
          logicalLocations: [{ fullyQualifiedName: 'kubeProxyReplacement' }],
        },
      ],
      relatedLocations: [{ id: 1, message: { text: 'Node cp-1' } }],
    });
    expect(run?.results?.[1]).toMatchObject({
      level: 'note',
      locations: [
        {
          logicalLocations: [
            { fullyQualifiedName: 'PodDisruptionBudget shop/web spec.minAvailable' },
          ],
        },
      ],
    });
    expect(run?.results?.[1]?.locations?.[0]).not.toHaveProperty('physicalLocation');
  });

  it('notes what could not be judged', () => {
    expect(run?.invocations?.[0]?.toolExecutionNotifications).toEqual([
      {
        level: 'note',
        message: { text: 'blind could not be judged in full; not read: Nodes; Pods' },
        associatedRule: { id: 'blind', index: 3 },
      },
    ]);
  });
});

describe('as JUnit', () => {
  it('fails a case per finding from the threshold on, passes quiet hazards, skips blind ones', () => {
    const odd: Finding = { ...STRICT, message: 'a < b & "c" \u0007' };
    const xml = toJunit(checked([odd, BUDGET], [{ hazard: 'blind', missing: ['Nodes'] }]), 'high');
    expect(xml).toContain(
      '<testsuite name="regauge check" tests="4" failures="1" errors="0" skipped="1">',
    );
    expect(xml).toContain(
      'classname="chart-values" name="The chart does not render (my values.yaml:3:23)" file="my values.yaml"',
    );
    expect(xml).toContain('critical: a &lt; b &amp; &quot;c&quot; \uFFFD');
    expect(xml).toContain('<![CDATA[low: The drain never ends.]]>');
    expect(xml).toContain('<testcase classname="quiet" name="Title of quiet"/>');
    expect(xml).not.toContain('\u0007');
  });

  it('fails more when the threshold is lower', () => {
    expect(toJunit(checked([STRICT, BUDGET]), 'low')).toContain('failures="2"');
  });
});
