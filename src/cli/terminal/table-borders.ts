/** Borders of tables as they survive copy and paste into a ticket: columns alone, no lines. */
import type { TableConstructorOptions } from 'cli-table3';

type Borders = NonNullable<TableConstructorOptions['chars']>;

export const NO_RULES: Borders = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

export const NO_BORDERS: Borders = {
  ...NO_RULES,
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  right: '',
  middle: '',
};
