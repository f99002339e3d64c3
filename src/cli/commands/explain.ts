/** `regauge explain`: the page of a hazard, of every hazard that covers a failure mode, or the list. */
import picocolors from 'picocolors';
import { RegaugeError } from '../../base/errors.ts';
import { HAZARDS } from '../../hazards/registry.ts';
import type { Hazard } from '../../model/hazard.ts';
import { textWidth, wantsColour } from '../context.ts';
import type { CliContext } from '../context.ts';
import { renderMarkdown } from '../output/markdown-text.ts';

export async function run(this: CliContext, _flags: object, ...names: string[]): Promise<void> {
  const style = { colour: wantsColour(this), width: textWidth(this) };
  if (names.length === 0) {
    this.process.stdout.write(hazardList(HAZARDS, style.colour));
    return;
  }
  const hazards = [...new Set(names.flatMap(hazardsNamed))];
  const pages: string[] = [];
  for (const hazard of hazards) pages.push(renderMarkdown(await pageOf(hazard), style));
  this.process.stdout.write(pages.join('\n'));
}

/** A hazard's id, or a failure mode of the catalogue (`FM-01`), which several may cover. */
export function hazardsNamed(name: string): readonly Hazard[] {
  const found = HAZARDS.filter(
    ({ id, covers }) => id === name.toLowerCase() || covers.includes(name.toUpperCase()),
  );
  if (found.length > 0) return found;
  const near = nearest(name.toLowerCase());
  throw new RegaugeError('usage', `no hazard is called "${name}"`, {
    hint:
      near === undefined
        ? 'regauge explain lists them all.'
        : `Did you mean ${near}? regauge explain lists them all.`,
  });
}

/** The page with the card's facts under its title. Also what the report and the server show. */
export async function pageOf(hazard: Hazard): Promise<string> {
  const { id, covers, severity, holdsFor } = hazard;
  // Both bundler and test runner turn the pattern into one module per page, loaded when asked for.
  const module = (await import(`../../hazards/${id}/hazard.md`)) as { readonly default: string };
  const [title = `# ${hazard.title}`, ...body] = module.default.split('\n');
  const card = `\`${id}\` · ${covers.join(' ')} · ${severity} · holds for ${holdsFor}`;
  const text = [title, '', card, ...body].join('\n');
  return /^## (References|Sources)/m.test(text)
    ? text
    : `${text.trimEnd()}\n\n## References\n\n${hazard.references.map((reference) => `- ${reference}`).join('\n')}\n`;
}

function hazardList(hazards: readonly Hazard[], colour: boolean): string {
  const colours = picocolors.createColors(colour);
  const width = Math.max(...hazards.map(({ id }) => id.length));
  const lines = hazards.map(
    ({ id, severity, covers, title }) =>
      `${colours.bold(id.padEnd(width))}  ${severity.padEnd(8)}  ${colours.dim(covers.join(' ').padEnd(11))}  ${title}`,
  );
  return `${lines.join('\n')}\n`;
}

/** The id that shares most of its words with what was typed. */
function nearest(name: string): string | undefined {
  const words = new Set(name.split(/[^a-z0-9]+/).filter((word) => word.length > 2));
  const scored = HAZARDS.map(({ id }) => ({
    id,
    score: id.split('-').filter((word) => words.has(word)).length,
  }));
  const best = scored.toSorted((left, right) => right.score - left.score)[0];
  return best !== undefined && best.score > 0 ? best.id : undefined;
}
