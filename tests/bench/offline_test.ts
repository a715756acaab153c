import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";

// A machine with a GPU may have neither npm nor a network.
for (const name of ["gpu.ts", "roofline.ts", "memory.ts", "train/host_time.ts"]) {
  Deno.test(`bench/${name} needs neither npm nor a network`, async () => {
    const path = fromFileUrl(new URL(`../../bench/${name}`, import.meta.url));
    const { success, stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", path] }).output();
    assertEquals(success, true);
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: { specifier: string }[] };
    assertEquals(modules.map(({ specifier }) => specifier).filter((each) => !/^(file|node):/.test(each)), []);
  });
}
