/**
 * The first key that an object of a JSON text holds twice, or undefined. `JSON.parse` keeps the last of two equal keys
 * without a word, which would let one file mean two things.
 *
 * @param text Valid JSON.
 */
export function duplicateKey(text: string): string | undefined {
  const tokens = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;
  const open: (Set<string> | undefined)[] = [];
  let last = "";
  for (const [token] of text.matchAll(tokens)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token === ":") {
      const key = JSON.parse(last) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
    last = token;
  }
  return undefined;
}
