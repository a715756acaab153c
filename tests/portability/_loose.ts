// Implementations of WebGPU whose functions and divisions are off by what WGSL lets them be, and whose `fma` is rounded twice.
import { withRewritten } from "./_rewritten.ts";
import { tokensOf } from "./_wgsl.ts";

/** An ulp of f32 beside 1. */
const ULP = 2 ** -23;

/** A factor that is `ulps` off; in f16 it is 1. */
const off = (ulps: number) => (1 + ulps * ULP).toFixed(9);

/** How far each may be off: section "Floating point accuracy" of the standard. */
const LOOSE: Readonly<Record<string, (...args: string[]) => string>> = {
  exp: (x) => `(exp((${x}) * ${off(2)}) * ${off(3)})`, // 3 + 2 |x| ulps
  exp2: (x) => `(exp2((${x}) * ${off(1.4)}) * ${off(3)})`,
  log: (x) => `(log(${x}) + ${2 ** -21})`,
  log2: (x) => `(log2(${x}) + ${2 ** -21})`,
  sqrt: (x) => `(sqrt(${x}) * ${off(4)})`, // as 1 / inverseSqrt(x)
  inverseSqrt: (x) => `(inverseSqrt(${x}) * ${off(2)})`,
  sin: (x) => `(sin(${x}) + ${2 ** -11})`,
  cos: (x) => `(cos(${x}) - ${2 ** -11})`,
  tanh: (x) => `(tanh(${x}) * ${off(-84)})`, // 1e-5
  fma: (x, y, z) => `((${x}) * (${y}) + (${z}))`,
};

/** What tells a division of floats from one of integers, in an operand. */
const FLOAT = new RegExp(
  String.raw`\d\.\d|\b(bitcast<)?f32\b|\b[FV]\(|sqrt\(|eps|SMALL|params\.(a|most|lr)\b|^ (y|s|count)$|` +
    String.raw`\b(all|root|sigma|squares?|sums?|weights|pivot|aspect|low|divisor|total\w*)\b`,
);

/** The source with looser functions, and with divisions of floats 2 ulps off. */
export function withLooseFunctions(code: string): string {
  const tokens = tokensOf(code);
  for (let i = tokens.length - 2; i >= 0; i--) { // from the end: offsets before it stay
    const [{ text, at }, next] = [tokens[i]!, tokens[i + 1]!];
    if (text === "/" && isFloat(code, at)) code = `${code.slice(0, at)}* ${off(2)} /${code.slice(at + 1)}`;
    const loose = Object.hasOwn(LOOSE, text) && next.text === "(" && tokens[i - 1]?.text !== "fn" && LOOSE[text];
    if (!loose) continue;
    const { args, end } = argumentsAt(code, next.at);
    code = code.slice(0, at) + loose(...args) + code.slice(end);
  }
  return code;
}

/** Whether the operands beside a slash are floats, as far as their texts tell; where it is wrong, no shader compiles. */
function isFloat(code: string, slash: number): boolean {
  const before = code.slice(Math.max(0, slash - 40), slash).match(/[\w.]+(\[[^\]]*\])? $|\([^()]*\) $/)?.[0] ?? "";
  const rest = code.slice(slash + 1);
  const [after = ""] = rest.match(/^ [\w.<>]*\([^;]{0,20}|^ [\w.]+/) ?? [];
  return FLOAT.test(before) || FLOAT.test(after);
}

/** The arguments of a call, from its parenthesis, and the offset past it. */
function argumentsAt(code: string, open: number): { readonly args: string[]; readonly end: number } {
  const args = [""];
  for (let i = open + 1, depth = 0;; i++) {
    const letter = code[i]!;
    if (depth === 0 && letter === ")") return { args, end: i + 1 };
    depth += Number("([".includes(letter)) - Number(")]".includes(letter));
    if (depth === 0 && letter === ",") args.push("");
    else args[args.length - 1] += letter;
  }
}

/** An implementation whose shaders have looser functions. */
export function withLoose(gpu: GPU): GPU {
  return withRewritten(gpu, withLooseFunctions);
}
