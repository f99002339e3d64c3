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
  const paths = new Set(schema.map(({ path }) => path));
  return [
    ...told
      .filter(({ path }) => !paths.has(path))
      .map(({ path, text }) => `Helm's schema refuses ${path} (${text}), and the model does not`),
    ...schema
      .filter(({ path }) => !told.some((line) => line.path === path))
      .map((problem) => `the model refuses ${asLine(problem)}, and Helm's schema does not`),
  ];
}

function asLine({ path, message }: ValueProblem): string {
  return `${path}: ${message}`;
}

/** `- at '/a/b': got string, want array` since Helm 3.18; `- a.b: Invalid type. …` before. */
function schemaLines(message: string): readonly { path: string; text: string }[] {
  return [...message.matchAll(/^\s*- (?:at '\/([^']*)'|([\w.]+)): (.*)$/gm)].map(
    ([, pointer, dotted, text]) => ({
      path: pointer?.replaceAll('/', '.') ?? dotted ?? '',
      text: text ?? '',
    }),
  );
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
