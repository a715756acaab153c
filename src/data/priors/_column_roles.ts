import { parseDecimal } from "../../formats/internal.ts";

/** Names of columns as {@linkcode wordsOf} gives them, by what such a column is for. */
const INDEX =
  /^((.* )?(index|idx|ids?|uu?id|guid)( level)?( ?\d+)?|index col(umn)?|unnamed( \d+)*|level \d+|rows?( ?(id|number|num|no|names?))?|no|nr)$/;
const LABEL =
  /^((.* )?(class ?labels?|(sub|super)?(class(es)?|categor(y|ies))|labels?|cls|[ck]lass|targets?|species|ground ?truth|truth|gt|y label|ylabels?|true y|y ?(true|pred))( ?(ids?|names?|index|idx|no|nr|num|number|code|encoded|int|\d+))*)$/;
const SPLIT =
  /^((is|in) )?(((data|dataset|sample|image|train|test|val|valid|official|random) )*split(s|( (ids?|no|name|number))?( ?\d+)?)|(cv|k )?k?folds?( (ids?|no|number|num))?( ?\d+)?|cv|subset|partition|set|((train|test|val|valid)(ing|ation)? ?)+(images?|samples?|set)?)$/;
/** Rows from which on whole numbers without a gap, in any order, are taken for the numbers of the rows. */
const SHUFFLED = 8;

/** A name as people compare it. */
export function plain(text: string): string {
  return text.trim().normalize("NFC").toLowerCase();
}

/** The words of a name, whatever parts them: "is_trainImage" and "Is-Train.Image" are "is train image". */
function wordsOf(column: string): string {
  return column.normalize("NFC").replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").replace(/[^\p{L}\p{N}]+/gu, " ").trim()
    .toLowerCase();
}

/** Whether a name is that of a row's number, of pandas (without a name, too) or R, or of an identifier. */
export function isIndex(column: string): boolean {
  return /^(#?|\.{3}\d+)$/.test(column.trim()) || INDEX.test(wordsOf(column));
}

/** Whether a name is that of a column of labels; "y" is none beside an "x" (`coordinates`). */
export function isLabel(column: string, coordinates: boolean): boolean {
  return plain(column) === "y" ? !coordinates : LABEL.test(wordsOf(column));
}

/** Whether a name is that of a column which divides the rows, such as into training and test. */
export function isSplit(column: string): boolean {
  return SPLIT.test(wordsOf(column));
}

/** Whether a column numbers the rows: 0, 1, 2, … from anywhere, of many rows in any order, as they may be shuffled. */
export function numbersRows(texts: readonly string[]): boolean {
  const values = texts.map(parseDecimal);
  const [first = null] = values;
  if (first === null || values.length < 3 || !values.every((value) => value !== null && Number.isInteger(value))) {
    return false;
  }
  if (values.every((value, i) => value === first + i)) return true;
  if (values.length < SHUFFLED) return false;
  const least = values.reduce((a, b) => Math.min(a!, b!), first)!;
  const found = new Set(values.map((value) => value! - least));
  return found.size === values.length && values.every((value) => value! - least < values.length);
}
