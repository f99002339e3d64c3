/**
 * What a failed command says: one clear message with its position and what to do, on stderr; with
 * `-o json|yaml` the contract's Error document on stdout. A mistake of ours says so, without a
 * stack trace unless REGAUGE_DEBUG is set.
 */
import { EXIT_STATUS, RegaugeError } from '../base/errors.ts';
import { showSource } from '../base/source.ts';
import { type CliContext, EXIT } from './context.ts';

export interface ErrorDocument {
  readonly apiVersion: 'regauge.dev/v1';
  readonly kind: 'Error';
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly source?: { readonly file?: string; readonly line?: number; readonly column?: number };
}

/** Returns the exit status. */
export async function reportFailure(
  context: CliContext,
  output: string | undefined,
  error: unknown,
): Promise<number> {
  const failure = asRegaugeError(error);
  if (output === 'json' || output === 'yaml') {
    const { writeDocument } = await import('./output-format.ts');
    writeDocument(context, output, errorDocument(failure));
  } else {
    context.process.stderr.write(errorText(failure));
  }
  if (!(error instanceof RegaugeError) && context.process.env['REGAUGE_DEBUG'] !== undefined) {
    context.process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  }
  return error instanceof RegaugeError ? EXIT_STATUS[error.code] : EXIT.findings;
}

function asRegaugeError(
  error: unknown,
): Pick<RegaugeError, 'message' | 'hint' | 'source'> & { readonly code: string } {
  if (error instanceof RegaugeError) return error;
  return {
    code: 'internal',
    message: `regauge made a mistake: ${error instanceof Error ? error.message : String(error)}`,
    hint: 'Please report it with the command and, if you can, the input. REGAUGE_DEBUG=1 prints the stack.',
    source: undefined,
  };
}

function errorText({ message, hint, source }: ReturnType<typeof asRegaugeError>): string {
  const place = source === undefined ? '' : `${showSource(source)}: `;
  return `error: ${place}${message}\n${hint === undefined ? '' : `  ${hint}\n`}`;
}

function errorDocument({
  code,
  message,
  hint,
  source,
}: ReturnType<typeof asRegaugeError>): ErrorDocument {
  return {
    apiVersion: 'regauge.dev/v1',
    kind: 'Error',
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(source === undefined
      ? {}
      : {
          source: {
            ...(source.file === undefined ? {} : { file: source.file }),
            ...(source.line === undefined ? {} : { line: source.line }),
            ...(source.column === undefined ? {} : { column: source.column }),
          },
        }),
  };
}
