/** Offsets in a text to lines and columns, also for a text that lies inside another one. */

export interface Place {
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units. */
  readonly column: number;
}

export type PlaceOf = (offset: number) => Place;

export interface PlacesOptions {
  /** Where the text's first character is; line 1, column 1 by default. */
  readonly first?: Place;
  /** What was cut off each further line: the indentation of a block scalar. */
  readonly indent?: number;
}

/** Line starts are found on the first question: most texts are never asked. */
export function placesIn(text: string, options: PlacesOptions = {}): PlaceOf {
  const first = options.first ?? { line: 1, column: 1 };
  const indent = options.indent ?? 0;
  let starts: readonly number[] | undefined;
  return (offset) => {
    starts ??= lineStarts(text);
    const index = lastAtMost(starts, offset);
    const inLine = offset - (starts[index] ?? 0);
    return {
      line: first.line + index,
      column: inLine + (index === 0 ? first.column : 1 + indent),
    };
  };
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function lastAtMost(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
