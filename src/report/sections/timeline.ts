/** One lane per node over virtual time: machine, network, stuck pods; with a table for the same. */
import type { NodeHistory, NodeSpan, Rehearsal } from '../../model/rehearsal.ts';
import { showSeconds } from '../duration.ts';
import { type Html, html } from '../html.ts';

const WIDTH = 1000;
const LABEL_WIDTH = 150;
const LANE_HEIGHT = 26;
/** More lanes than this say less than a table would; the nodes with trouble come first. */
const LANES_MAX = 60;
const EVENTS_MAX = 400;

export function timelineSection(id: string, rehearsal: Rehearsal): Html {
  const lanes = rehearsal.nodeHistories
    .toSorted((a, b) => trouble(b) - trouble(a))
    .slice(0, LANES_MAX);
  const ordered = lanes.length < rehearsal.nodeHistories.length ? lanes : rehearsal.nodeHistories;
  const end = Math.max(rehearsal.summary.makespanSeconds, 1);
  const height = ordered.length * LANE_HEIGHT + 30;
  return html`<h3 id="${id}-timeline">Timeline per node</h3>
    <p class="legend" aria-hidden="true">
      <span class="key old"></span>old network <span class="key mixed"></span>both
      <span class="key new"></span>new network <span class="key no-network"></span>no network
      <span class="key down"></span>machine down <span class="key stuck"></span>pods stuck
    </p>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="${id}-timeline">
      <svg
        viewBox="0 0 ${WIDTH} ${height}"
        class="timeline"
        role="img"
        aria-label="Timeline per node; the table below says the same"
      >
        ${ordered.map((history, index) => lane(history, index, end))} ${axis(end, height - 18)}
      </svg>
    </div>
    ${
      lanes.length < rehearsal.nodeHistories.length &&
      html`<p class="note">
        The ${lanes.length} nodes with most trouble of ${rehearsal.nodeHistories.length}.
      </p>`
    }
    <details>
      <summary>The timeline in words</summary>
      <div class="scroll" tabindex="0" role="group" aria-label="Timeline in words">
        <table>
          <thead>
            <tr>
              <th scope="col">At</th>
              <th scope="col">Node</th>
              <th scope="col">What happened</th>
            </tr>
          </thead>
          <tbody>
            ${rehearsal.timeline.slice(0, EVENTS_MAX).map(
              ({ at, node, event }) =>
                html`<tr>
                  <td class="number">${showSeconds(at)}</td>
                  <td>${node ?? ''}</td>
                  <td>${event}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${
        rehearsal.timeline.length > EVENTS_MAX &&
        html`<p class="note">
          ${rehearsal.timeline.length - EVENTS_MAX} later entries are in the JSON document.
        </p>`
      }
    </details>`;
}

function trouble({ spans }: NodeHistory): number {
  return spans.reduce(
    (sum, { from, to, state, pods }) =>
      sum + (to - from) * (pods.stuck + (state === 'ready' ? 0 : 1)),
    0,
  );
}

function lane({ node, spans }: NodeHistory, index: number, end: number): Html {
  const y = index * LANE_HEIGHT;
  return html`<g>
    <text x="${LABEL_WIDTH - 8}" y="${y + 17}" text-anchor="end">${node}</text>
    ${spans.map((span) => bar(span, y, end))}
  </g>`;
}

function bar(span: NodeSpan, y: number, end: number): Html {
  const x = position(span.from, end);
  const width = Math.max(position(span.to, end) - x, 0.5);
  const { stuck } = span.pods;
  return html`<g>
    <title>${showSeconds(span.from)} to ${showSeconds(span.to)}: ${describe(span)}</title>
    <rect
      class="${classOf(span)}"
      x="${x.toFixed(1)}"
      y="${y + 4}"
      width="${width.toFixed(1)}"
      height="${LANE_HEIGHT - 8}"
    />
    ${
      stuck > 0 &&
      html`<rect
        class="stuck"
        x="${x.toFixed(1)}"
        y="${y + LANE_HEIGHT - 9}"
        width="${width.toFixed(1)}"
        height="5"
      />`
    }
    ${
      stuck > 0 &&
      width > 26 &&
      html`<text class="on-bar" x="${(x + 4).toFixed(1)}" y="${y + 16}">${stuck} stuck</text>`
    }
  </g>`;
}

function classOf({ state, pods }: NodeSpan): string {
  if (state !== 'ready') return state;
  if (pods.old > 0 && pods.new > 0) return 'mixed';
  return pods.new > 0 ? 'new' : 'old';
}

function describe({ state, pods, unschedulable }: NodeSpan): string {
  if (state === 'down') return 'the machine is down';
  const network = state === 'no-network' ? 'no usable network; ' : '';
  const stuck = pods.stuck > 0 ? `, ${pods.stuck} stuck` : '';
  return `${network}${pods.old} pods on the old network, ${pods.new} on the new${stuck}${unschedulable ? ', cordoned' : ''}`;
}

function axis(end: number, y: number): Html {
  const ticks = Array.from({ length: 6 }, (_, index) => (end * index) / 5);
  return html`<g class="axis">
    ${ticks.map(
      (at) =>
        html`<text
          x="${position(at, end).toFixed(1)}"
          y="${y + 14}"
          text-anchor="${at === 0 ? 'start' : at === end ? 'end' : 'middle'}"
          >${showSeconds(at)}</text
        >`,
    )}
  </g>`;
}

function position(at: number, end: number): number {
  return LABEL_WIDTH + ((WIDTH - LABEL_WIDTH) * Math.min(at, end)) / end;
}
