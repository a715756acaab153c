// Expressions that WGSL's grammar refuses and naga takes: & | ^ << >> beside another operator without parentheses.
import { tokensOf } from "./_wgsl.ts";

const BITWISE = new Set(["&", "|", "^", "<<", ">>"]);
const OTHER = new Set(["+", "-", "*", "/", "%", "<", ">", "<=", ">=", "==", "!=", "&&", "||", ...BITWISE]);
const ENDS = new Set([",", ";", "{", "}", "=", "return", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="]);
const TEMPLATES = /^(array|vec[234]|mat[234]x[234]|ptr|var|atomic|bitcast)$/;

/** One expression, without what is in its parentheses. */
interface Level {
  operators: string[];
  start: number;
  /** Whether it ends at `>`. */
  readonly template: boolean;
}

/**
 * Finds each expression, without what is in parentheses, that mixes a bitwise operator or a shift with another
 * operator.
 */
export function mixedOperators(code: string): string[] {
  const tokens = tokensOf(code);
  const found: string[] = [];
  const levels: Level[] = [{ operators: [], start: 0, template: false }];
  const close = (level: Level, at: number) => {
    const shifts = level.operators.filter((operator) => operator === "<<" || operator === ">>").length;
    const mixed = new Set(level.operators).size > 1 && level.operators.some((operator) => BITWISE.has(operator));
    if (mixed || shifts > 1) found.push(code.slice(tokens[level.start]!.at, tokens[at]!.at).trim());
    level.operators = [];
    level.start = at + 1;
  };
  for (let i = 0; i < tokens.length; i++) {
    const { text, at } = tokens[i]!;
    const level = levels.at(-1)!;
    const before = tokens[i - 1]?.text ?? "";
    const shift = text === ">" && !level.template && tokens[i + 1]?.text === ">" && tokens[i + 1]!.at === at + 1;
    if (text === "(" || text === "[") levels.push({ operators: [], start: i + 1, template: false });
    else if (text === "<" && TEMPLATES.test(before)) levels.push({ operators: [], start: i + 1, template: true });
    else if (text === ")" || text === "]" || (text === ">" && level.template)) close(levels.pop()!, i);
    else if (ENDS.has(text)) close(level, i);
    else if (shift) level.operators.push(">>"), i++;
    else if (OTHER.has(text) && isBinary(before)) level.operators.push(text);
  }
  return found;
}

/** Whether what is before an operator ends an operand. */
function isBinary(before: string): boolean {
  return /^[\w)\]]/.test(before) && before !== "return";
}
