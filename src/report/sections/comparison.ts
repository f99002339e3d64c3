/** The side-by-side table at the top of the page. */
import { compare, type LabelledRehearsal, verdict } from '../comparison.ts';
import { type Html, html } from '../html.ts';

export function comparisonSection(runs: readonly LabelledRehearsal[]): Html {
  return html`<section aria-labelledby="comparison">
    <h2 id="comparison">How it ends</h2>
    ${runs.map(
      ({ label, rehearsal }) =>
        html`<p class="verdict ${rehearsal.outcome}">
          <strong>${label}:</strong> ${verdict(rehearsal)}
        </p>`,
    )}
    <div class="scroll" tabindex="0" role="group" aria-label="Side by side">
      <table>
        <thead>
          <tr>
            <th scope="col">Measure</th>
            ${runs.map(({ label }) => html`<th scope="col">${label}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${compare(runs).map(
            (row) =>
              html`<tr>
                <th scope="row">${row.label}</th>
                ${row.cells.map(
                  (cell) =>
                    html`<td class="number ${cell.isBad ? 'bad' : 'good'}">
                      ${cell.text}${cell.isBad && html`<span class="unseen"> (bad)</span>`}
                    </td>`,
                )}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}
