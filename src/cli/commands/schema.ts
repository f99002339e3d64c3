/** `regauge schema <kind>`: the JSON Schema of a published document. */
import { z } from 'zod';
import { RegaugeError } from '../../base/errors.ts';
import { publishedRunbook } from '../../intake/runbook-schema.ts';
import { checkReport } from '../../model/schema/check-report.ts';
import { errorDocument } from '../../model/schema/error-document.ts';
import { faultSweep } from '../../model/schema/fault-sweep.ts';
import { fixSearch } from '../../model/schema/fix-search.ts';
import { plan } from '../../model/schema/plan.ts';
import { rehearsal } from '../../model/schema/rehearsal.ts';
import { rollbackRehearsal } from '../../model/schema/rollback-rehearsal.ts';
import { runEvent } from '../../model/schema/run-event.ts';
import { runResult, status } from '../../model/schema/status.ts';
import { verification } from '../../model/schema/verification.ts';
import { clusterSpec } from '../../twin/scenario/cluster-spec.ts';
import { twinConstants } from '../../twin/scenario/constant-schema.ts';
import type { CliContext } from '../context.ts';

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  CheckReport: checkReport,
  Plan: plan,
  Rehearsal: rehearsal,
  FaultSweep: faultSweep,
  FixSearch: fixSearch,
  RollbackRehearsal: rollbackRehearsal,
  Run: runEvent,
  RunResult: runResult,
  Status: status,
  Verification: verification,
  Runbook: publishedRunbook,
  ClusterSpec: clusterSpec,
  TwinConstants: twinConstants,
  Error: errorDocument,
};

export function run(this: CliContext, _flags: object, kind?: string): void {
  const names = Object.keys(SCHEMAS);
  if (kind === undefined) {
    this.process.stdout.write(`${names.join('\n')}\n`);
    return;
  }
  const name = names.find((candidate) => candidate.toLowerCase() === kind.toLowerCase());
  const schema = name === undefined ? undefined : SCHEMAS[name];
  if (schema === undefined) {
    throw new RegaugeError('usage', `no document is called ${kind}`, {
      hint: `There are ${names.join(', ')}.`,
    });
  }
  this.process.stdout.write(
    `${JSON.stringify(z.toJSONSchema(schema, { unrepresentable: 'any' }), undefined, 2)}\n`,
  );
}
