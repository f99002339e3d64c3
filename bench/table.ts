/** The figures as a table: what, measured, to reach, and whether it is reached. */
export interface Figure {
  readonly what: string;
  readonly measured: string;
  readonly toReach: string;
  /** Undefined where it could not be measured. */
  readonly reached: boolean | undefined;
}

export function ratioFigure(what: string, ratio: number, limit: number, note = ''): Figure {
  return {
    what,
    measured: `${ratio.toFixed(2)} ×${note}`,
    toReach: `≤ ${limit} ×`,
    reached: ratio <= limit,
  };
}

export function memoryFigure(what: string, megabytes: number, limit: number): Figure {
  return {
    what,
    measured: `${megabytes.toFixed(0)} MB`,
    toReach: `≤ ${limit} MB`,
    reached: megabytes <= limit,
  };
}

export function showFigures(figures: readonly Figure[]): string {
  const rows = [
    ['what', 'measured', 'to reach', ''],
    ...figures.map(({ what, measured, toReach, reached }) => [
      what,
      measured,
      toReach,
      reached === undefined ? 'not measured' : reached ? 'reached' : 'MISSED',
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
