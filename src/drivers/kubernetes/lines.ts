/** Bytes in pieces to lines of text; a last line without an end is a line too. */
const NEWLINE = 0x0a;

export async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  for await (const piece of body) {
    let start = 0;
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, start)) {
      pending.push(piece.subarray(start, at));
      yield Buffer.concat(pending).toString('utf8');
      pending = [];
      start = at + 1;
    }
    if (start < piece.length) pending.push(piece.subarray(start));
  }
  if (pending.length > 0) yield Buffer.concat(pending).toString('utf8');
}
