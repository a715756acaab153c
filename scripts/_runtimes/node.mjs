// Runs bundled tests in Node with npm's `webgpu`: node node.mjs, beside the bundle and its list.
import { readFileSync } from "node:fs";
import { closeAll, installDeno, runTests } from "./tests.mjs";

const { create, globals } = await import("webgpu"); // installed beside this file
const { files, library, filter } = JSON.parse(readFileSync(new URL("tests.json", import.meta.url), "utf8"));
Object.assign(globalThis, globals);
Object.defineProperty(globalThis, "navigator", { value: { gpu: create(["backend=vulkan"]) }, configurable: true });
installDeno((name) => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url))));
const { Device } = await import(library);
const passed = await runTests(files, console.log, () => closeAll(Device), filter);
process.exit(passed ? 0 : 1);
