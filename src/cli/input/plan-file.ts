/** Plans as files: written with what belongs to them, read back only when they are as written. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentHash } from '../../base/canonical-json.ts';
import { RegaugeError } from '../../base/errors.ts';
import type { Plan } from '../../model/plan.ts';
import { plan as planSchema } from '../../model/schema/plan.ts';
import type { Planned } from '../rehearsal-session.ts';
import { writeWhole } from '../write-whole.ts';

/** `plan.json`, `runbook.md` and `artifacts/`, whole or not at all; returns their paths. */
export function writePlan(directory: string, { plan, artifacts }: Planned): readonly string[] {
  const main = {
    path: join(directory, 'plan.json'),
    text: `${JSON.stringify(plan, undefined, 2)}\n`,
  };
  const others = artifacts().map(({ path, text }) => ({ path: join(directory, path), text }));
  try {
    writeWhole([...others, main]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RegaugeError('refused', `the plan could not be written to ${directory}: ${why}`, {
      hint: 'Name another directory with --out.',
      cause: error,
    });
  }
  return [main, ...others].map(({ path }) => path);
}

/** A plan as its schema says, whose content is what its hash says; anything else is bad input. */
export function readPlan(path: string): Plan {
  const document = parsed(path);
  const result = planSchema.safeParse(document);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw notAPlan(
      path,
      `${issue?.path.join('.') || 'the document'}: ${issue?.message ?? 'is no Plan'}`,
    );
  }
  const { id: _id, hash, predictions: _predictions, ...body } = result.data;
  if (contentHash(body) !== hash)
    throw notAPlan(path, 'its content is not what its hash was made of: it was changed by hand');
  return result.data;
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw notAPlan(path, error instanceof Error ? error.message : String(error));
  }
}

function notAPlan(path: string, why: string): RegaugeError {
  return new RegaugeError('bad-input', `not used as a plan: ${why}`, {
    source: { file: path },
    hint: 'Make it again with regauge plan --out.',
  });
}
