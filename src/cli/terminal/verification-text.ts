/** A verification for people: paths by class and method, then what fails, what is not known, policies. */
import Table from 'cli-table3';
import type { Colors } from 'picocolors/types.js';
import type { PathObservation } from '../../model/rehearsal.ts';
import type { LeftRules, PolicyTest, Verification } from '../../model/verification.ts';
import { plural } from '../../report/duration.ts';
import { NO_BORDERS } from './table-borders.ts';
import { wrapText } from './wrap-text.ts';

/** Failing paths and nodes that are listed one by one. */
const LISTED_MAX = 12;

interface Row {
  readonly name: string;
  readonly how: string;
  paths: number;
  sent: number;
  lost: number;
  longestGapMs: number;
  worst: string;
  readonly sources: Set<string>;
}

export function verificationText(
  verification: Verification,
  width: number,
  colours: Colors,
): string {
  const { paths, failing, unknown, policies, leftRules, verdict, seconds } = verification;
  const listed = (items: readonly string[]): readonly string[] => [
    ...items.slice(0, LISTED_MAX).flatMap((item) => bullet(item, width)),
    ...(items.length > LISTED_MAX ? [`  … and ${items.length - LISTED_MAX} more`] : []),
  ];
  const lines = [
    '',
    tableOf(rowsOf(paths), colours),
    ...(failing.length === 0
      ? []
      : [
          '',
          colours.red('Failing now'),
          ...listed(
            failing.map(
              ({ from, to, message }) =>
                `${from.class} on ${from.node} does not reach ${to.class} on ${to.node}: ${message}`,
            ),
          ),
        ]),
    ...(unknown.length === 0
      ? []
      : [
          '',
          colours.yellow('Not known'),
          ...listed(unknown.map(({ node, message }) => `${node}: ${message}`)),
        ]),
    ...(policies === undefined ? [] : ['', ...policyText(policies, width, colours)]),
    ...(leftRules === undefined ? [] : leftRulesText(leftRules, listed, colours)),
    '',
    headline(verdict, paths.length, seconds, colours),
    '',
  ];
  return lines.join('\n');
}

function rowsOf(paths: readonly PathObservation[]): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const path of paths) {
    const how = HOW[path.method ?? ''] ?? path.protocol;
    const name = `${path.from.class} → ${path.to.class}`;
    const key = `${name} ${how}`;
    let row = rows.get(key);
    if (row === undefined) {
      row = {
        name,
        how,
        paths: 0,
        sent: 0,
        lost: 0,
        longestGapMs: 0,
        worst: '',
        sources: new Set(),
      };
      rows.set(key, row);
    }
    row.paths += 1;
    row.sent += path.sent;
    row.lost += path.lost;
    if (path.longestGapMs > row.longestGapMs) {
      row.longestGapMs = path.longestGapMs;
      row.worst =
        path.from.node === path.to.node ? path.from.node : `${path.from.node} → ${path.to.node}`;
    }
    if (path.sourceSeen !== null) row.sources.add(path.sourceSeen);
  }
  return [...rows.values()].toSorted((left, right) =>
    left.name === right.name ? (left.how < right.how ? -1 : 1) : left.name < right.name ? -1 : 1,
  );
}

const HOW: Readonly<Record<string, string>> = {
  udp: 'UDP',
  'udp-full': 'UDP, full size',
  'tcp-held': 'TCP, held',
  'tcp-new': 'TCP, new',
  http: 'HTTP',
  dns: 'DNS',
};

function tableOf(rows: readonly Row[], colours: Colors): string {
  const table = new Table({
    head: ['Path', 'By', 'Paths', 'Sent', 'Lost', 'Longest gap', 'Worst'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
    chars: NO_BORDERS,
  });
  for (const { name, how, paths, sent, lost, longestGapMs, worst } of rows) {
    const shown = longestGapMs === 0 ? '–' : `${longestGapMs} ms`;
    table.push([
      name,
      how,
      paths,
      sent,
      lost === 0 ? '0' : colours.red(String(lost)),
      shown,
      worst,
    ]);
  }
  return table.toString();
}

function policyText(policies: PolicyTest, width: number, colours: Colors): readonly string[] {
  const { connections, clusterwide, enforcementExpected, tested } = policies;
  const count = (outcome: string): number =>
    connections.filter((connection) => connection.outcome === outcome).length;
  const reached = count('reached');
  const said =
    connections.length === 0
      ? 'not tested: the pod to be closed did not come up'
      : `${count('denied')} of ${connections.length} connections denied, ${reached} came through, ${count('not-tested')} not tested`;
  const expectation =
    enforcementExpected === null
      ? 'Whether this network enforces policies is not known; Flannel alone does not.'
      : enforcementExpected
        ? 'Cilium is set to enforce policies.'
        : 'Cilium is set to enforce none (enable-policy: never).';
  const isBad = reached > 0 && enforcementExpected === true;
  return [
    colours.bold('Policies'),
    ...bullet(isBad ? colours.red(said) : said, width),
    ...bullet(expectation, width),
    ...bullet(`Tested: ${tested}.`, width),
    ...(clusterwide.length === 0 ? [] : bullet(clusterwideText(clusterwide), width)),
  ];
}

/** Nothing where nothing is left, and every node was asked. */
function leftRulesText(
  { owners, nodes, unread }: LeftRules,
  listed: (items: readonly string[]) => readonly string[],
  colours: Colors,
): readonly string[] {
  if (nodes.length === 0 && unread.length === 0) return [];
  return [
    '',
    colours.yellow(`Rules of what runs no more (${owners.join(', ')})`),
    ...listed([
      ...nodes.map(({ node, rules }) => `${node}: ${rules.join('; ')}`),
      ...unread.map(({ node, message }) => `${node}: not known: ${message}`),
    ]),
    '  The plan’s clean-up takes them away, and so does a boot of the node.',
  ];
}

function clusterwideText(policies: readonly string[]): string {
  const more = policies.length > LISTED_MAX ? ` and ${policies.length - LISTED_MAX} more` : '';
  const names = policies.slice(0, LISTED_MAX).join(', ');
  return `Not tried: ${names}${more}. What they forbid is not known, and what comes through may be what they allow.`;
}

function headline(
  verdict: Verification['verdict'],
  paths: number,
  seconds: number,
  colours: Colors,
): string {
  const measured = `${plural(paths, 'path')} measured for ${seconds} s`;
  if (verdict === 'clear') return `${colours.green('clear')}: ${measured}, none loses packets.`;
  if (verdict === 'failing') return `${colours.red('failing')}: ${measured}.`;
  return `${colours.yellow('unknown')}: ${measured}; not all can be said, see above.`;
}

function bullet(text: string, width: number): readonly string[] {
  return wrapText(text, width - 4).map((line, index) => `  ${index === 0 ? '-' : ' '} ${line}`);
}
