/**
 * Refusals in two tellings. Templates stop at their first failure, so Helm's one must be among the
 * model's; a schema tells all, and each type in question must be in both.
 */
import type { ValueProblem } from '../../../src/knowledge/cilium-chart/schema.ts';

/** A line per difference. */
export function saidBy(model: readonly ValueProblem[], helm: string): readonly string[] {
  const schema = model.filter(({ kind }) => kind === 'schema');
  const told = schemaLines(helm);
  if (told.length === 0) {
    const text = oneLine(helm);
    const same = model.some(
      ({ kind, message }) => kind === 'template' && text.includes(oneLine(message)),
    );
    return same ? [] : [`Helm says ${text}; the model ${model.map(asLine).join(' | ')}`];
  }
  const said = new Set(schema.map(asSchemaLine));
  const asked = new Set(told);
  return [
    ...told
      .filter((line) => !said.has(line))
      .map((line) => `Helm's schema says ${line}, and the model does not`),
    ...[...said]
      .filter((line) => !asked.has(line))
      .map((line) => `the model says ${line}, and Helm's schema does not`),
  ];
}

function asLine({ path, message }: ValueProblem): string {
  return `${path}: ${message}`;
}

/** `/a/b: got string, want array or null`; which of several types comes first does not count. */
function schemaLines(helm: string): readonly string[] {
  return [...helm.matchAll(/^\s*- at '(\/[^']*)': (got \w+), want (.*)$/gm)].map(
    ([, pointer = '', got = '', want = '']) => schemaLine(pointer, got, want),
  );
}

function asSchemaLine({ path, message }: ValueProblem): string {
  const [got = '', want = ''] = message.split(', want ');
  return schemaLine(`/${path.replaceAll('.', '/')}`, got, want);
}

function schemaLine(pointer: string, got: string, want: string): string {
  return `${pointer}: ${got}, want ${want.split(' or ').toSorted().join(' or ')}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
