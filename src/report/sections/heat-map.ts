/** Which paths lost packets, by class of path and node; darker is longer. */
import { groupBy } from '../../base/group-by.ts';
import type { PathObservation, Rehearsal } from '../../model/rehearsal.ts';
import { showMilliseconds } from '../duration.ts';
import { type Html, html } from '../html.ts';

/** Columns at most; nodes beyond share a column with their neighbours. */
const COLUMNS_MAX = 24;

interface Column {
  readonly label: string;
  readonly nodes: ReadonlySet<string>;
}

export function heatMapSection(id: string, { paths }: Rehearsal): Html {
  const columns = columnsOf([...new Set(paths.map(({ from }) => from.node))].toSorted());
  const rows = [...groupBy(paths, pathClass)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return html`<h3 id="${id}-paths">Longest gap by path</h3>
    <p class="note">
      Probes at 10 per second; rows are classes of paths, columns the node they start from.
    </p>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="${id}-paths">
      <table class="heat">
        <thead>
          <tr>
            <th scope="col">Path</th>
            ${columns.map(({ label }) => html`<th scope="col">${label}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([name, members]) =>
              html`<tr>
                <th scope="row">${name}</th>
                ${columns.map((column) => cell(members.filter(({ from }) => column.nodes.has(from.node))))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function pathClass({ from, to }: PathObservation): string {
  return `${from.class} → ${to.class}`;
}

function columnsOf(nodes: readonly string[]): readonly Column[] {
  const size = Math.max(1, Math.ceil(nodes.length / COLUMNS_MAX));
  return Array.from({ length: Math.ceil(nodes.length / size) }, (_, index) => {
    const members = nodes.slice(index * size, (index + 1) * size);
    const label = members.length === 1 ? (members[0] ?? '') : `${members[0]} … ${members.at(-1)}`;
    return { label, nodes: new Set(members) };
  });
}

function cell(paths: readonly PathObservation[]): Html {
  if (paths.length === 0) return html`<td class="none">–</td>`;
  const gap = paths.reduce((longest, { longestGapMs }) => Math.max(longest, longestGapMs), 0);
  return html`<td class="heat-${levelOf(gap)}">${gap === 0 ? '0' : showMilliseconds(gap)}</td>`;
}

/** Steps a person feels: nothing, a retry, a time-out, a restart, an outage. */
function levelOf(gapMs: number): number {
  return [0, 1_000, 10_000, 60_000, 600_000].filter((limit) => gapMs > limit).length;
}
