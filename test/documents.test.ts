/** Goal: every document is what its published schema says, and every schema can be published. */
import { describe, expect, it } from 'vitest';
import { incidentInput } from '../src/cli/incident/incident-data.ts';
import { planFor, rehearse } from '../src/cli/rehearsal-session.ts';
import { run as printSchema } from '../src/cli/commands/schema.ts';
import { evaluateHazards } from '../src/hazards/registry.ts';
import { deriveFacts } from '../src/intake/facts.ts';
import { checkReport } from '../src/model/schema/check-report.ts';
import { plan as planSchema } from '../src/model/schema/plan.ts';
import { rehearsal as rehearsalSchema } from '../src/model/schema/rehearsal.ts';
import { runEvent } from '../src/model/schema/run-event.ts';
import type { RunEvent } from '../src/model/run-event.ts';

const input = incidentInput();

/** As a program reads it: what `undefined` and class instances would be lost is lost here too. */
function asRead(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document));
}

function printed(...args: string[]): string {
  let text = '';
  const stdout = { write: (part: string) => void (text += part) };
  const process = { stdout, stderr: stdout, stdin: [] as never, env: {} };
  printSchema.call({ process }, {}, ...args);
  return text;
}

describe('documents', () => {
  it('CheckReport', () => {
    expect(checkReport.parse(asRead(evaluateHazards(deriveFacts(input))))).toBeDefined();
  });

  it('Plan, unchanged by reading it back', () => {
    const { plan } = planFor(input);
    expect(planSchema.parse(asRead(plan))).toEqual(asRead(plan));
  });

  it('Rehearsal and its events', async () => {
    const events: RunEvent[] = [];
    const { rehearsal } = await rehearse({
      input,
      plan: planFor(input).plan,
      onEvent: (event) => events.push(event),
    });
    expect(rehearsalSchema.parse(asRead(rehearsal))).toEqual(asRead(rehearsal));
    for (const event of events) expect(runEvent.parse(asRead(event))).toEqual(asRead(event));
  });
});

describe('schemas', () => {
  const kinds = printed().trim().split('\n');

  it('are listed', () => {
    expect(kinds).toEqual([
      'CheckReport',
      'Plan',
      'Rehearsal',
      'FaultSweep',
      'FixSearch',
      'RollbackRehearsal',
      'Run',
      'RunResult',
      'Status',
      'Verification',
      'Runbook',
      'ClusterSpec',
      'TwinConstants',
      'Error',
    ]);
  });

  it.each(kinds)('%s is published as JSON Schema', (kind) => {
    expect(JSON.parse(printed(kind))).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
    });
  });

  it('an unknown one is a clear error', () => {
    expect(() => printed('Plant')).toThrow('no document is called Plant');
  });
});
