/** The causal graph: hazards that struck, left to right, to what was seen; the list says the same. */
import { type Edge, graphlib, layout } from '@dagrejs/dagre';
import type { Rehearsal } from '../../model/rehearsal.ts';
import { type CauseGroup, groupCauses, groupSymptoms, type SymptomGroup } from '../cause-groups.ts';
import { plural } from '../duration.ts';
import { type Html, html } from '../html.ts';

const BOX_WIDTH = 196;
const LINE_HEIGHT = 16;
const LINE_CHARACTERS = 27;

interface Box {
  readonly id: string;
  readonly lines: readonly string[];
  readonly className: 'cause' | 'symptom';
  readonly because: readonly string[];
}

export function causalGraphSection(id: string, rehearsal: Rehearsal): Html {
  if (rehearsal.failures.length === 0) {
    return html`<h3 id="${id}-causes">Causes</h3>
      <p>Nothing failed, so there is nothing to explain.</p>`;
  }
  const causes = groupCauses(rehearsal);
  const symptoms = groupSymptoms(rehearsal);
  return html`<h3 id="${id}-causes">Why</h3>
    <div class="scroll" tabindex="0" role="group" aria-label="Causal graph">
      ${drawing([...causes.map(causeBox), ...symptoms.map(symptomBox)])}
    </div>
    ${symptoms.map((symptom) => symptomDetails(symptom, causes))}`;
}

function causeBox({ id, title, covers, nodes, because }: CauseGroup): Box {
  const about = [covers.join(', '), nodes.length > 0 ? plural(nodes.length, 'node') : '']
    .filter((part) => part !== '')
    .join(' · ');
  return {
    id,
    lines: [...wrap(title), ...(about === '' ? [] : [about])],
    className: 'cause',
    because,
  };
}

function symptomBox({ symptom, count, because }: SymptomGroup): Box {
  return {
    id: `symptom:${symptom}`,
    lines: wrap(`${count} × ${symptom}`),
    className: 'symptom',
    because,
  };
}

function drawing(boxes: readonly Box[]): Html {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 36, marginx: 4, marginy: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(boxes.map(({ id }) => id));
  for (const box of boxes) graph.setNode(box.id, { width: BOX_WIDTH, height: heightOf(box) });
  for (const box of boxes) {
    for (const cause of box.because) if (known.has(cause)) graph.setEdge(cause, box.id);
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return html`<svg
    class="graph"
    viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}"
    style="min-width:${Math.min(Math.ceil(width), 1100)}px"
    role="img"
    aria-label="Causal graph; the lists below say the same"
  >
    ${graph.edges().map((edge: Edge) => arrow(graph.edge(edge).points ?? []))}
    ${boxes.map((box) => drawBox(box, graph.node(box.id)))}
  </svg>`;
}

function heightOf({ lines }: Box): number {
  return lines.length * LINE_HEIGHT + 12;
}

function drawBox(box: Box, place: { readonly x: number; readonly y: number }): Html {
  const height = heightOf(box);
  const left = place.x - BOX_WIDTH / 2;
  const top = place.y - height / 2;
  return html`<g class="${box.className}">
    <rect
      x="${left.toFixed(1)}"
      y="${top.toFixed(1)}"
      width="${BOX_WIDTH}"
      height="${height}"
      rx="5"
    />
    ${box.lines.map(
      (line, index) =>
        html`<text x="${(left + 10).toFixed(1)}" y="${(top + 18 + index * LINE_HEIGHT).toFixed(1)}"
          >${line}</text
        >`,
    )}
  </g>`;
}

function arrow(points: readonly { readonly x: number; readonly y: number }[]): Html {
  const path = points.map(
    ({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`,
  );
  const end = points.at(-1);
  return html`<path class="arrow" d="${path.join(' ')}" />${
      end !== undefined &&
      html`<circle class="arrow-end" cx="${end.x.toFixed(1)}" cy="${end.y.toFixed(1)}" r="3" />`
    }`;
}

function symptomDetails(symptom: SymptomGroup, causes: readonly CauseGroup[]): Html {
  return html`<details>
    <summary>${symptom.count} × ${symptom.symptom}</summary>
    <p class="quote">${symptom.example}</p>
    ${symptom.nodes.length > 0 && html`<p>On ${symptom.nodes.slice(0, 20).join(', ')}.</p>`}
    <p>Because of:</p>
    <ul>
      ${causes
        .filter(({ id }) => symptom.because.includes(id))
        .map(
          ({ title, covers, nodes, detail }) =>
            html`<li>
              <strong>${title}</strong>${covers.length > 0 && html` (${covers.join(', ')})`}${
                nodes.length > 0 && html`, on ${nodes.slice(0, 20).join(', ')}`
              }${detail !== undefined && html`<br /><span class="quote">${detail}</span>`}
            </li>`,
        )}
    </ul>
  </details>`;
}

function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > LINE_CHARACTERS) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
