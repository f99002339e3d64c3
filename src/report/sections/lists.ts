/** The tabular parts of the page: invariants, assumptions, readings of a runbook, remembered claims. */
import type { Rehearsal } from '../../model/rehearsal.ts';
import type { RunbookStep } from '../../model/runbook.ts';
import { showSeconds } from '../duration.ts';
import { type Html, html } from '../html.ts';

/** An explanation people remember, and whether it holds. */
export interface RememberedClaim {
  readonly claim: string;
  readonly verdict: string;
  readonly why: string;
  readonly source: string;
}

export function invariantsSection(id: string, { invariants }: Rehearsal): Html {
  return html`<h3 id="${id}-invariants">What must always hold</h3>
    ${table(
      ['Invariant', 'Held', 'First broken'],
      invariants.map(({ name, held, firstViolation }) => [
        name,
        held ? 'yes' : 'no',
        firstViolation === undefined
          ? ''
          : `${showSeconds(firstViolation.at)}: ${firstViolation.message}`,
      ]),
      'Invariants',
    )}`;
}

export function assumptionsSection(id: string, { assumptions }: Rehearsal): Html {
  if (assumptions.length === 0) {
    return html`<h3 id="${id}-assumptions">Assumptions</h3>
      <p>None: everything the twin needed was read.</p>`;
  }
  return html`<h3 id="${id}-assumptions">What was assumed</h3>
    <p class="note">
      Each of these was not in the input. The command would replace the assumption by a fact.
    </p>
    ${table(
      ['About', 'Assumed', 'Because', 'Command that would tell'],
      assumptions.map(({ about, assumed, because, command }) => [
        about,
        assumed,
        because,
        command ?? '',
      ]),
      'Assumptions',
    )}`;
}

export function readingsSection(steps: readonly RunbookStep[]): Html | undefined {
  const readings = steps.filter(({ reading }) => reading !== undefined && reading.kind !== 'quote');
  if (readings.length === 0) return undefined;
  return html`<section aria-labelledby="readings">
    <h2 id="readings">How the runbook was read</h2>
    <p class="note">
      Where the account contradicts itself or leaves something out, one consistent reading was
      taken.
    </p>
    ${table(
      ['Step', 'Reading', 'Why'],
      readings.map(({ title, reading }) => [title ?? '', reading?.kind ?? '', reading?.why ?? '']),
      'Readings',
    )}
  </section>`;
}

export function rememberedSection(claims: readonly RememberedClaim[]): Html | undefined {
  if (claims.length === 0) return undefined;
  return html`<section aria-labelledby="remembered">
    <h2 id="remembered">Remembered explanations, and whether they hold</h2>
    ${table(
      ['What was said', 'Verdict', 'Why', 'Source'],
      claims.map(({ claim, verdict, why, source }) => [claim, verdict, why, source]),
      'Remembered explanations',
    )}
  </section>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[], label: string): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${label}">
    <table>
      <thead>
        <tr>
          ${head.map((text) => html`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((text) => html`<td>${text}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
