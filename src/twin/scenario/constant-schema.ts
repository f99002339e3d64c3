/**
 * The schema of the constants that a scenario sets, made from the twin's own table. Apart from
 * constant-overrides.ts: a rehearsal without such a document needs no schemas at all.
 */
import { z } from 'zod';
import { CONSTANTS, type Constant } from '../constants.ts';
import { readWritten } from './written-document.ts';

export const constantOverrides = z.strictObject(
  Object.fromEntries(
    Object.entries<Constant>(CONSTANTS).map(([name, constant]) => [name, fieldOf(constant)]),
  ),
);

export type ConstantOverrides = z.infer<typeof constantOverrides>;

export const twinConstants = z.strictObject({
  kind: z.literal('TwinConstants'),
  constants: constantOverrides,
});

function fieldOf({ value, unit, source }: Constant): z.ZodOptional<z.ZodNumber> {
  const number = unit === 'ratio' ? z.number().max(1) : z.int();
  const described = number.nonnegative().describe(`${value} ${unit} if not set. ${source}`);
  return described.optional();
}

/** Throws `bad-input` with the place of what is wrong. */
export function readConstants(text: string, file: string): ConstantOverrides {
  return readWritten(text, file, twinConstants, 'TwinConstants').constants;
}
