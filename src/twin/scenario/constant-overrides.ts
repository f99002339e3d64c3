/**
 * Constants of the twin that a scenario sets: `constants: {sandboxRetryMs: 5000}` in a ClusterSpec, or
 * a document of their own (`kind: TwinConstants`) beside a snapshot. Their schema is constant-schema.ts.
 */
import { RegaugeError } from '../../base/errors.ts';
import type { Assumption } from '../../model/rehearsal.ts';
import { CONSTANTS, type ConstantName, type Constants } from '../constants.ts';

/** Those that are set; the names come from a schema, and a wrong one is a mistake all the same. */
export function overridesIn(given: Readonly<Record<string, unknown>>): Partial<Constants> {
  const overrides: Partial<Record<ConstantName, number>> = {};
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'number') continue;
    if (!isConstant(name)) throw new RegaugeError('bad-input', `no constant is called ${name}`);
    overrides[name] = value;
  }
  return overrides;
}

/** What a reader of the report must know: a rehearsal on other times than the measured ones. */
export function overridesAssumed(overrides: Partial<Constants>): readonly Assumption[] {
  return Object.keys(overrides)
    .filter(isConstant)
    .map((name) => {
      const { value, unit, source } = CONSTANTS[name];
      return {
        about: `constant ${name}`,
        assumed: `${overrides[name] ?? value} ${unit} instead of ${value} ${unit}`,
        because: `the scenario sets it (its own source: ${source})`,
      };
    });
}

function isConstant(name: string): name is ConstantName {
  return Object.hasOwn(CONSTANTS, name);
}
