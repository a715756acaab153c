import { assertEquals, assertInstanceOf } from "@std/assert";
import { chainGlobals, pythonGlobals, stubGlobals, tableGlobals } from "../../src/formats/internal.ts";
import { ndarray, PickleGlobal, PickleObject, type PickleValue } from "../../src/formats/mod.ts";
import { globals, read, refuses } from "./_pickle.ts";

Deno.test("unpickle() refuses every global by default, and names it", () => {
  const evil: [string, string][] = [
    ["cos\nsystem\n(S'touch /tmp/x'\ntR.", "os.system"],
    ["cposix\nsystem\n.", "posix.system"],
    ["c__builtin__\neval\n(S'1'\ntR.", "builtins.eval"],
    ["\x80\x04\x8c\x0asubprocess\x8c\x05Popen\x93.", "subprocess.Popen"],
    ["(S'true'\nios\nsystem\n.", "os.system"],
    ["(cos\nsystem\nS'true'\no.", "os.system"],
    ["ccollections\nOrderedDict\n)R.", "collections.OrderedDict"],
  ];
  for (const [pickle, name] of evil) refuses(pickle, `every global must be allowed: got "${name}"`);
});

Deno.test("unpickle() refuses dangerous globals beside the allowed ones", () => {
  const names = [
    "builtins\neval",
    "builtins\ngetattr",
    "builtins\nexec",
    "os\nsystem",
    "numpy\nload",
    "builtins\n__import__",
  ];
  for (const name of [...names, "builtins\nconstructor", "__proto__\ntoString", "numpy.core.multiarray\nfrombuffer"]) {
    refuses(`c${name}\n(S'x'\ntR.`, "every global must be allowed", { globals });
  }
});

Deno.test("unpickle() refuses calls of what can only be mentioned, and of plain values", () => {
  refuses("cbuiltins\nobject\n)R.", "what a pickle calls must be allowed: got builtins.object", { globals });
  refuses("])R.", "what a pickle calls must be allowed: got a list of 0");
  refuses("S'os.system'\n)R.", 'what a pickle calls must be allowed: got "os.system"');
  assertEquals(String(read("c__builtin__\nlong\n.", { globals })), "builtins.int");
});

Deno.test("stubGlobals() records what a pickle would do, and does nothing", () => {
  const options = { globals: stubGlobals(["omegaconf."]) };
  const object = read(
    "comegaconf\nDictConfig\n(K\x01K\x02tR}(S'a'\nK\x03ub}(S'k'\nK\x04u0(S'k'\nK\x04uK\x05a.",
    options,
  ) as PickleObject;
  assertInstanceOf(object, PickleObject);
  assertEquals(`${object}`, "<omegaconf.DictConfig object>");
  assertEquals([object.type.module, object.type.name], ["omegaconf", "DictConfig"]);
  assertEquals(object.args, [1, 2]);
  assertEquals(object.state, new Map([["a", 3]]));
  assertEquals(object.items, new Map([["k", 4]]));
  assertEquals(object.elements, [5]);
  refuses("comega\nDictConfig\n.", 'got "omega.DictConfig"', options);
});

Deno.test("stubGlobals() records every way to make an object", () => {
  const options = { globals: chainGlobals(pythonGlobals, stubGlobals(["m."])) };
  const ways = [
    "cm\nC\n(K\x01tR.", // REDUCE
    "cm\nC\n(K\x01t\x81.", // NEWOBJ
    "\x80\x04\x8c\x01m\x8c\x01C\x93(K\x01t}\x92.", // NEWOBJ_EX
    "(K\x01im\nC\n.", // INST
    "(cm\nC\nK\x01o.", // OBJ
    "ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nlist\nK\x01tR.", // protocol 1
  ];
  for (const way of ways) {
    const object = read(way, options);
    assertInstanceOf(object, PickleObject);
    assertEquals(object.args, [1]);
  }
  const plain = read("ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR}S'a'\nK\x01sb.", options);
  assertInstanceOf(plain, PickleObject);
  assertEquals([plain.args, plain.state], [[], new Map([["a", 1]])]);
});

Deno.test("pythonGlobals makes containers and bytes", () => {
  const cases: [string, PickleValue][] = [
    ["ccollections\nOrderedDict\n((lp0\n(K\x01K\x02latR.", new Map([[1, 2]])],
    ["c__builtin__\ndict\n(}K\x01K\x02stR.", new Map([[1, 2]])],
    ["c__builtin__\nlist\n(\x8f(K\x01\x90tR.", [1]],
    ["c__builtin__\ntuple\n)R.", []],
    ["c__builtin__\nbytes\n)R.", new Uint8Array(0)],
    ["c_codecs\nencode\n(V\xe9\nVlatin1\ntR.", Uint8Array.of(0xe9)],
    ["c__builtin__\nbytearray\n(C\x01atR.", Uint8Array.of(97)],
  ];
  for (const [pickle, value] of cases) assertEquals(read(pickle, { globals }), value);
  assertEquals(read("ccollections\nCounter\n((l(K\x01K\x02latR.", { globals }), new Map([[1, 2]]));
  refuses("ccollections\nOrderedDict\n(K\x01tR.", "elements must come as a list, not as 1", { globals });
  refuses("ccollections\nOrderedDict\n((lK\x01atR.", "an item must be a key and a value, not 1", { globals });
  refuses("c_codecs\nencode\n(V\\u4e2d\nVlatin1\ntR.", "bytes must be written as Latin-1 text", { globals });
  refuses("c_codecs\nencode\n(Va\nVrot13\ntR.", 'not as "rot13" "a"', { globals });
  refuses("ccopyreg\n_reconstructor\n(NNNtR.", "a class must be allowed, not null", { globals });
});

Deno.test("unpickle() ignores the attributes of a dict's subclass, and refuses other unknown state", () => {
  assertEquals(read("ccollections\nOrderedDict\n)R}S'_metadata'\nNsb.", { globals }), new Map());
  refuses("]}b.", "an object with state must be allowed: got a list of 0");
});

Deno.test("tableGlobals() does not take names from Object.prototype", () => {
  assertEquals(tableGlobals({})("", "constructor"), undefined);
  assertEquals(tableGlobals({ "a.b": {} })("a", "b"), {});
});

Deno.test("unpickle() refuses damaged NumPy values", () => {
  const dtype = "cnumpy\ndtype\n(S'f4'\nK\x00K\x01tR(K\x03S'<'\nNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb";
  const array = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tS'b'\ntR";
  const state = (shape: string, type: string, raw: string) => `${array}(K\x01${shape}${type}\x89${raw}tb.`;
  assertEquals(
    read(state("(K\x01t", dtype, "U\x04\x00\x00\x80\x3f"), { globals }),
    ndarray([1], "f32", new Float32Array([1])),
  );
  const cases: [string, string][] = [
    [state("(K\x02t", dtype, "U\x04abcd"), "shape [2] must take 8 bytes: got 4"],
    [state("(J\xff\xff\xff\xfft", dtype, "U\x04abcd"), "a numpy shape must be a tuple of sizes, not a list of 1"],
    [state("K\x01", dtype, "U\x04abcd"), "a numpy shape must be a tuple of sizes, not 1"],
    [state("(K\x01t", "S'f4'\n", "U\x04abcd"), 'a numpy array must have a numpy.dtype, not "f4"'],
    [state("(K\x01t", dtype, "]"), "the elements of a numpy array must be bytes, not a list of 0"],
    [state("(K\x01t", dtype, "X\x04\x00\x00\x00\xe4\xb8\xada"), "the elements of a numpy array must be bytes"],
    [`${array}(K\x01tb.`, "the state of a numpy array must have five parts"],
    ["cnumpy\ndtype\n(K\x04tR.", "a numpy.dtype must be named by short text, not by 4"],
    ["cnumpy\ndtype\n(S'f4'\ntR(K\x03tb.", "the state of a numpy.dtype must hold a byte order, not nothing"],
    [state("(K\x01t", dtype.replace("f4", "O8"), "]"), "object arrays hold pickled Python objects"],
    [state("(K\x01t", dtype.replace("f4", "V4"), "U\x04abcd"), 'or text: got "<V4"'],
  ];
  for (const [pickle, message] of cases) refuses(pickle, message, { globals });
  assertEquals(String(read("cnumpy\ndtype\n(S'f4'\ntR.", { globals })), "numpy.dtype(|f4)");
});

Deno.test("unpickle() reads NumPy scalars of text", () => {
  const dtype = "cnumpy\ndtype\n(S'S3'\ntR";
  assertEquals(read(`cnumpy.core.multiarray\nscalar\n(${dtype}U\x03ab\x00tR.`, { globals }), "ab");
});

Deno.test("PickleGlobal prints its name", () => {
  assertEquals(`${new PickleGlobal("a.b", "C", {})}`, "a.b.C");
});
