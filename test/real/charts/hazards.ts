/** What `check` foretells for values and a chart, as a user would get it. */
import { stringify } from 'yaml';
import { factsFrom } from '../../../src/hazards/testing.ts';
import { HAZARDS } from '../../../src/hazards/registry.ts';
import type { Finding } from '../../../src/model/finding.ts';
import type { Values } from './helm.ts';

export function foretold(hazard: string, chartVersion: string, values: Values): readonly Finding[] {
  const found = HAZARDS.find(({ id }) => id === hazard);
  if (found === undefined) throw new Error(`no hazard ${hazard}`);
  const facts = factsFrom({ values: stringify(values), chartVersion });
  return found.foretell(facts).findings;
}
