// ./dev on machines that lack this or that; see _dev_machine.ts.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DEBIAN12, dev, SOURCES, UBUNTU } from "./_dev_machine.ts";

const APT = "apt-get -q -y -o DPkg::Lock::Timeout=120";
const NPM = ["npm", "apt-get", "id", "uname", "dpkg-query"];
const ALL = ["deno", ...NPM];
const GPU = "NVIDIA H200";

function test(name: string, body: () => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn: body });
}

test("dev --help prints the commands", async () => {
  for (const flag of ["--help", "-h"]) {
    await dev({}, [flag], ({ code, stdout, log }) => {
      assertEquals([code, log], [0, []]);
      for (const word of ["quickstart", "test", "ok", "setup", "--no-install"]) assertStringIncludes(stdout, word);
    });
  }
});

test("dev refuses an unknown command and none", async () => {
  await dev({}, ["fly"], ({ code, text }) => {
    assertEquals([code, text], [2, 'dev: Cannot run "fly": the commands are quickstart, test, ok and setup\n']);
  });
  await dev({}, [], ({ code, text }) => {
    assertEquals(code, 2);
    assertStringIncludes(text, "Usage: ./dev");
  });
});

test("dev installs nothing where Deno and an adapter are there", async () => {
  await dev({ programs: ALL, adapter: GPU }, ["test", "tests/a_test.ts", "--filter", "x"], ({ code, text, log }) => {
    assertEquals(log, ["deno task test tests/a_test.ts --filter x"]);
    assertEquals([code, text], [0, `dev: WebGPU adapter: ${GPU}\n`]);
  });
  await dev({ programs: ALL, adapter: GPU }, ["quickstart", "--help", "--epochs=2"], ({ log }) => {
    assertEquals(log, ["deno run -A examples/quickstart.ts --help --epochs=2"]);
  });
  await dev({ programs: ALL, adapter: GPU }, ["ok"], ({ log }) => assertEquals(log, ["deno task ok"]));
  await dev({ programs: ALL, adapter: GPU }, ["setup"], ({ log, text }) => {
    assertEquals(log, []);
    assertStringIncludes(text, "dev: ready");
  });
});

test("dev installs Deno from npm into npm's prefix", async () => {
  await dev({ adapter: GPU }, ["test"], ({ code, text, log }) => {
    assertEquals(log, ["npm install -g --prefix ROOT/npm --no-fund --no-audit deno@2.9.6", "deno task test"]);
    assertEquals(code, 0);
    assertStringIncludes(text, "dev: Deno is missing\n");
    assertStringIncludes(text, "dev: Deno 2.9.6 is in ROOT/npm/bin\n");
  });
});

test("dev installs Deno for the user when npm's prefix is taken", async () => {
  await dev({ adapter: GPU, strayDeno: true }, ["test"], ({ code, text, log }) => {
    assertEquals(log, ["npm install -g --prefix ROOT/home/.local --no-fund --no-audit deno@2.9.6", "deno task test"]);
    assertEquals(code, 0);
    assertStringIncludes(text, "dev: Deno 2.9.6 is in ROOT/home/.local/bin\n");
  });
});

test("dev says so when an older Deno is there", async () => {
  const machine = { programs: ALL, adapter: GPU, env: { FAKE_DENO: "2.8.3" } };
  await dev(machine, ["setup"], ({ code, text, log }) => {
    assertEquals(log, ["npm install -g --prefix ROOT/npm --no-fund --no-audit deno@2.9.6"]);
    assertStringIncludes(text, "Deno 2.8.3 is here, but 2.9 or newer is needed");
    assertEquals(code, 1); // what was "installed" is the same old one
    assertStringIncludes(text, 'Cannot run Deno from ROOT/npm/bin: try "ROOT/npm/bin/deno" --version');
  });
  await dev(
    { programs: ALL, adapter: GPU, env: { FAKE_DENO: "2.10.0" } },
    ["setup"],
    ({ log }) => assertEquals(log, []),
  );
});

test("dev says what is missing without npm, and when npm fails", async () => {
  await dev({ programs: ["id", "uname"] }, ["test"], ({ code, text }) => {
    assertEquals(code, 1);
    assertStringIncludes(text, "Cannot install Deno as npm is missing: install Node.js with npm, or Deno 2.9 or newer");
  });
  await dev({ env: { FAKE_NPM_FAILS: "1" } }, ["test"], ({ code, text }) => {
    assertEquals(code, 1);
    assertStringIncludes(text, "Cannot install Deno as npm failed: see its message above");
  });
});

test("dev installs Mesa of bookworm-backports on Debian 12 without an adapter", async () => {
  const machine = { programs: ALL, etc: { "os-release": DEBIAN12, "apt/sources.list.d/debian.sources": SOURCES } };
  await dev(machine, ["test"], async ({ code, text, log, read }) => {
    assertEquals(log, [
      `${APT} update`,
      `${APT} install --no-install-recommends -t bookworm-backports mesa-vulkan-drivers libvulkan1`,
      "deno task test",
    ]);
    assertEquals(code, 0);
    assertStringIncludes(text, "no WebGPU adapter answers");
    assertStringIncludes(text, "dev: WebGPU adapter: llvmpipe (new)\n");
    assertEquals(
      await read("apt/sources.list.d/bookworm-backports.sources"),
      "Types: deb\nURIs: http://mirror.test/debian\nSuites: bookworm-backports\nComponents: main\n" +
        "Signed-By: /usr/share/keyrings/archive.gpg\n",
    );
  });
});

test("dev derives the backports from a one-line source", async () => {
  const list = "# deb http://old.test/debian bookworm main\n" +
    "deb http://mirror.test/security bookworm-security main\n" +
    "deb [signed-by=/k.gpg] http://mirror.test/debian bookworm main contrib\n";
  await dev(
    { programs: ALL, etc: { "os-release": DEBIAN12, "apt/sources.list": list } },
    ["setup"],
    async ({ read }) => {
      assertEquals(
        await read("apt/sources.list.d/bookworm-backports.list"),
        "deb [signed-by=/k.gpg] http://mirror.test/debian bookworm-backports main contrib\n",
      );
    },
  );
});

test("dev uses a bookworm-backports that is there", async () => {
  const etc = {
    "os-release": DEBIAN12,
    "apt/sources.list.d/debian.sources": SOURCES,
    "apt/sources.list.d/mine.sources": SOURCES.replace("bookworm bookworm-updates", "bookworm-backports"),
  };
  await dev({ programs: ALL, etc }, ["setup"], async ({ log, read }) => {
    assertEquals(log.length, 2);
    assertEquals(await read("apt/sources.list.d/bookworm-backports.sources"), undefined);
  });
});

test("dev says so and takes Debian 12's own Mesa when the backports fail", async () => {
  const etc = { "os-release": DEBIAN12, "apt/sources.list.d/debian.sources": SOURCES };
  await dev({ programs: ALL, etc, env: { FAKE_BACKPORTS_FAIL: "1" } }, ["setup"], async ({ code, text, log, read }) => {
    assertEquals(log.at(-1), `${APT} install --no-install-recommends mesa-vulkan-drivers libvulkan1`);
    assertStringIncludes(text, "bookworm-backports could not be used: installing Debian 12's own Mesa 22.3");
    assertEquals(code, 0);
    assertEquals(await read("apt/sources.list.d/bookworm-backports.sources"), undefined);
  });
  await dev({ programs: ALL, etc: { "os-release": DEBIAN12 } }, ["setup"], ({ text }) => {
    assertStringIncludes(text, "no apt source of bookworm was found");
  });
});

test("dev installs the distribution's Mesa elsewhere", async () => {
  await dev({ programs: ALL, etc: { "os-release": UBUNTU } }, ["setup"], ({ code, log }) => {
    assertEquals(log, [`${APT} update`, `${APT} install --no-install-recommends mesa-vulkan-drivers libvulkan1`]);
    assertEquals(code, 0);
  });
});

test("dev uses sudo when it is not root, and says what to do without", async () => {
  const machine = { programs: [...ALL, "sudo"], etc: { "os-release": UBUNTU }, env: { FAKE_UID: "1000" } };
  await dev(machine, ["setup"], ({ code, log }) => {
    assertEquals(log[0], `sudo -n env DEBIAN_FRONTEND=noninteractive ${APT} update`);
    assertEquals([log.length, code], [4, 0]);
  });
  await dev({ ...machine, programs: ALL }, ["setup"], ({ code, text, log }) => {
    assertEquals([code, log], [1, []]);
    assertStringIncludes(
      text,
      "Cannot install Mesa's software Vulkan as this needs root: apt-get install mesa-vulkan-drivers libvulkan1",
    );
  });
});

test("dev stops when no adapter answers after installing", async () => {
  const machine = { programs: ALL, etc: { "os-release": UBUNTU }, env: { FAKE_NO_DRIVER: "1", FAKE_MESA: "22.0.1" } };
  await dev(machine, ["test"], ({ code, text, log }) => {
    assertEquals([code, log.length], [1, 2]);
    assertStringIncludes(text, "Cannot find a WebGPU adapter with Mesa 22.0.1: 22.3 or newer is needed");
  });
});

test("dev says what to do without apt-get and on other systems", async () => {
  await dev({ programs: ["deno", "id", "uname"] }, ["test"], ({ code, text }) => {
    assertEquals(code, 1);
    assertStringIncludes(text, "mesa-vulkan-drivers and vulkan-loader on Fedora");
  });
  for (const [FAKE_SYSTEM, hint] of [["Darwin", "Metal is needed"], ["MINGW64_NT", "Direct3D 12 or Vulkan"]] as const) {
    await dev({ programs: ALL, env: { FAKE_SYSTEM } }, ["test"], ({ code, text, log }) => {
      assertEquals([code, log], [1, []]);
      assertStringIncludes(text, hint);
    });
  }
});

const OLD = {
  programs: ALL,
  adapter: "llvmpipe (LLVM 15.0.6, 256 bits)",
  etc: { "os-release": DEBIAN12, "apt/sources.list.d/debian.sources": SOURCES },
};

test("dev brings the backport to a Debian 12 that runs on Mesa 22", async () => {
  await dev({ ...OLD, env: { FAKE_MESA: "22.3.6-1+deb12u1" } }, ["test"], ({ code, text, log }) => {
    assertEquals(log.length, 3);
    assertEquals([code, log[2]], [0, "deno task test"]);
    assertMatch(text, /the adapter is Mesa 22\.3\.6-1\+deb12u1; the one of bookworm-backports is 3 to 7 times faster/);
  });
  await dev({ ...OLD, env: { FAKE_MESA: "25.0.7-2" } }, ["test"], ({ log }) => assertEquals(log, ["deno task test"]));
  await dev({ ...OLD, adapter: GPU, env: { FAKE_MESA: "22.3.6" } }, ["test"], ({ log }) => {
    assertEquals(log, ["deno task test"]);
  });
});

test("dev goes on with Mesa 22 when the backport cannot be had", async () => {
  await dev({ ...OLD, env: { FAKE_MESA: "22.3.6", FAKE_UID: "1000" } }, ["test"], ({ code, text, log }) => {
    assertEquals([code, log], [0, ["deno task test"]]);
    assertStringIncludes(text, "going on with it, as installing needs root");
  });
  await dev({ ...OLD, env: { FAKE_MESA: "22.3.6", FAKE_BACKPORTS_FAIL: "1" } }, ["test"], ({ code, text, log }) => {
    assertEquals([code, log.at(-1)], [0, "deno task test"]);
    assertStringIncludes(text, "bookworm-backports could not be used: going on with Mesa 22.3.6");
  });
});

test("dev --no-install prints what it would do and does nothing", async () => {
  const etc = { "os-release": DEBIAN12, "apt/sources.list.d/debian.sources": SOURCES };
  for (const args of [["--no-install", "test", "a"], ["test", "--no-install", "a"]]) {
    await dev({ programs: ALL, etc }, args, async ({ code, text, log, read }) => {
      assertEquals([code, log], [0, []]);
      assertStringIncludes(text, `would run: env DEBIAN_FRONTEND=noninteractive ${APT} install`);
      assertStringIncludes(text, "dev: would run: deno task test a\n");
      assertEquals(await read("apt/sources.list.d/bookworm-backports.sources"), undefined);
    });
  }
  await dev({ etc }, ["--no-install", "quickstart"], ({ code, text, log }) => {
    assertEquals([code, log], [0, []]);
    assertStringIncludes(text, "would run: npm install -g --prefix ROOT/npm --no-fund --no-audit deno@2.9.6");
    assertStringIncludes(text, "would then look for a WebGPU adapter and, if none answers");
    assertStringIncludes(text, "would run: deno run -A examples/quickstart.ts");
  });
  await dev({ ...OLD, env: { FAKE_MESA: "22.3.6" } }, ["--no-install", "test"], ({ log, text }) => {
    assertEquals(log, []);
    assertStringIncludes(text, "would run: env");
  });
});

test("dev gives -- and what follows to the command", async () => {
  await dev({ programs: ALL, adapter: GPU }, ["test", "--", "--no-install"], ({ log }) => {
    assertEquals(log, ["deno task test -- --no-install"]);
  });
});
