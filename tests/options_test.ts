// Every public function and class refuses options that it does not have, and names those that it has.
import { assertEquals } from "@std/assert";
import { optionSites, type Site } from "./_options.ts";

/** Options that are not checked by name, and why; the list may only shrink. */
const UNCHECKED: Readonly<Record<string, string>> = {
  "Device.prototype.dispatch": "each dispatch of a step calls it, and it checks them against the shader's names",
  "new Tensor": "each result of an op calls it",
};

/** What a call with an option of another name, and with one that is no object, is answered with. */
async function answerOf({ call }: Site, options: object): Promise<string> {
  try {
    const given = await call(options);
    if (typeof given === "object" && given !== null && Symbol.asyncIterator in given) {
      await (given as AsyncIterable<unknown>)[Symbol.asyncIterator]().next();
    }
    return "no error";
  } catch (error) {
    return error instanceof TypeError ? error.message : `${error}`;
  }
}

Deno.test("every public function and class checks the names of its options before anything else", async () => {
  const sites = await optionSites();
  const wrong: string[] = [];
  for (const site of sites) {
    if (site.name in UNCHECKED) continue;
    const answer = await answerOf(site, { noSuchOption: 1 });
    const names = answer.match(/ as its options are (.+): got noSuchOption$/)?.[1]?.split(/, | and /);
    if (names === undefined) wrong.push(`${site.name}(${site.options}): ${answer}`);
    else if (`${names.toSorted()}` !== `${site.options.toSorted()}`) {
      wrong.push(`${site.name} has ${site.options}: its message names ${names}`);
    }
  }
  assertEquals(wrong, []);
  const known = new Set(sites.map(({ name }) => name));
  assertEquals(Object.keys(UNCHECKED).filter((name) => !known.has(name)), [], "strike what is no more");
});
