/**
 * The report: one self-contained HTML page about one or several rehearsals of the same cluster. It
 * loads nothing and sends nothing (its content security policy forbids both), and every drawing is
 * said again in words for those who cannot see it.
 */
import type { RunbookStep } from '../model/runbook.ts';
import type { LabelledRehearsal } from './comparison.ts';
import { Html, html } from './html.ts';
import { causalGraphSection } from './sections/causal-graph.ts';
import { comparisonSection } from './sections/comparison.ts';
import { heatMapSection } from './sections/heat-map.ts';
import {
  assumptionsSection,
  invariantsSection,
  readingsSection,
  type RememberedClaim,
  rememberedSection,
} from './sections/lists.ts';
import { timelineSection } from './sections/timeline.ts';
import { STYLES } from './styles.ts';

export interface ReportContent {
  readonly title: string;
  readonly subtitle: string;
  readonly runs: readonly LabelledRehearsal[];
  /** The steps of a person's runbook, where one was rehearsed. */
  readonly runbookSteps?: readonly RunbookStep[];
  readonly remembered?: readonly RememberedClaim[];
}

export function reportPage(content: ReportContent): string {
  const { title, subtitle, runs, runbookSteps = [], remembered = [] } = content;
  const readings = readingsSection(runbookSteps);
  const claims = rememberedSection(remembered);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'"
        />
        <title>${title}</title>
        <style>
          ${new Html(STYLES)}
        </style>
      </head>
      <body>
        <a class="skip" href="#comparison">Skip to the result</a>
        <header>
          <h1>${title}</h1>
          <p class="sub">${subtitle}</p>
          ${navigation(runs, readings !== undefined, claims !== undefined)}
        </header>
        <main>
          ${comparisonSection(runs)}
          ${runs.map((run, index) => runSection(`run-${index + 1}`, run))} ${readings} ${claims}
        </main>
      </body>
    </html>`;
  return `${page.text.trim()}\n`;
}

function navigation(
  runs: readonly LabelledRehearsal[],
  hasReadings: boolean,
  hasClaims: boolean,
): Html {
  return html`<nav aria-label="Sections">
    <ul>
      <li><a href="#comparison">How it ends</a></li>
      ${runs.map(({ label }, index) => html`<li><a href="#run-${index + 1}">${label}</a></li>`)}
      ${hasReadings && html`<li><a href="#readings">How the runbook was read</a></li>`}
      ${hasClaims && html`<li><a href="#remembered">Remembered explanations</a></li>`}
    </ul>
  </nav>`;
}

function runSection(id: string, { label, rehearsal }: LabelledRehearsal): Html {
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${label}</h2>
    <p class="note">${rehearsal.name}, seed ${rehearsal.seed}. The same seed gives the same run.</p>
    ${causalGraphSection(id, rehearsal)} ${timelineSection(id, rehearsal)}
    ${heatMapSection(id, rehearsal)} ${invariantsSection(id, rehearsal)}
    ${assumptionsSection(id, rehearsal)}
  </section>`;
}
