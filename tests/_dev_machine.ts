// A machine for ./dev whose programs are all replaced, so that each branch runs and nothing is installed.
import { assert } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const DEV = fromFileUrl(new URL("../dev", import.meta.url));
const TOOLS = [
  "sh",
  "awk",
  "cat",
  "chmod",
  "cp",
  "dirname",
  "env",
  "grep",
  "head",
  "mkdir",
  "rm",
  "sed",
  "sort",
  "tee",
];

const DENO = `case $1 in
--version) echo "deno \${FAKE_DENO:-2.9.6} (stable, release)" ;;
eval) cat "$STATE/adapter" 2>/dev/null || true ;;
*) echo "deno $*" >>"$STATE/log" ;;
esac`;

const FAKES: Record<string, string> = {
  npm: `case $1 in
prefix) echo "$STATE/npm" ;;
install)
  echo "npm $*" >>"$STATE/log"
  [ -z "\${FAKE_NPM_FAILS:-}" ] || exit 1
  mkdir -p "$4/bin"
  cp "$STATE/deno" "$4/bin/deno" ;;
esac`,
  "apt-get": `echo "apt-get $*" >>"$STATE/log"
case "$*" in
*backports*) [ -z "\${FAKE_BACKPORTS_FAIL:-}" ] || exit 100 ;;
esac
case "$*" in
*install*) [ -n "\${FAKE_NO_DRIVER:-}" ] || echo "llvmpipe (new)" >"$STATE/adapter" ;;
esac`,
  sudo: `echo "sudo $*" >>"$STATE/log"
[ "$1" != -n ] || shift
exec "$@"`,
  id: `echo "\${FAKE_UID:-0}"`,
  uname: `echo "\${FAKE_SYSTEM:-Linux}"`,
  "dpkg-query": `printf %s "\${FAKE_MESA:-}"`,
};

/** os-release of Debian 12. */
export const DEBIAN12 = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n';
/** os-release of Ubuntu. */
export const UBUNTU = 'NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\n';
/** apt sources of Debian 12, in the new format. */
export const SOURCES = `Types: deb
# a comment
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: http://mirror.test/security
Suites: bookworm-security
Components: main
`;

/** Software on the machine. */
export interface Machine {
  /** The programs that are there; npm, apt-get, id, uname and dpkg-query by default. */
  programs?: string[];
  /** The adapter that answers. */
  adapter?: string;
  /** Files below /etc. */
  etc?: Record<string, string>;
  /** A Deno in npm's prefix, off the PATH. */
  strayDeno?: boolean;
  env?: Record<string, string>;
}

/** Outcome of a run of ./dev. */
export interface Outcome {
  code: number;
  text: string;
  stdout: string;
  /** The commands that were called, in order. */
  log: string[];
  /** A file below /etc afterwards. */
  read(path: string): Promise<string | undefined>;
}

async function script(path: string, body: string): Promise<void> {
  await Deno.writeTextFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

async function makeMachine(root: string, machine: Machine): Promise<void> {
  for (const folder of ["bin", "home", "npm", "etc/apt/sources.list.d"]) {
    await Deno.mkdir(join(root, folder), { recursive: true });
  }
  for (const tool of TOOLS) {
    const found = ["/usr/bin", "/bin"].map((folder) => join(folder, tool)).find((path) => exists(path));
    assert(found !== undefined, `${tool} is missing`);
    await Deno.symlink(found, join(root, "bin", tool));
  }
  await script(join(root, "deno"), DENO);
  for (const name of machine.programs ?? ["npm", "apt-get", "id", "uname", "dpkg-query"]) {
    await script(join(root, "bin", name), name === "deno" ? DENO : FAKES[name]!);
  }
  if (machine.strayDeno) {
    await Deno.mkdir(join(root, "npm/bin"));
    await script(join(root, "npm/bin/deno"), DENO);
  }
  if (machine.adapter !== undefined) await Deno.writeTextFile(join(root, "adapter"), machine.adapter);
  for (const [path, text] of Object.entries(machine.etc ?? {})) await Deno.writeTextFile(join(root, "etc", path), text);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Runs ./dev on a machine. */
export async function dev(
  machine: Machine,
  args: string[],
  check: (outcome: Outcome) => void | Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await makeMachine(root, machine);
    const { code, stdout, stderr } = await new Deno.Command(DEV, {
      args,
      clearEnv: true,
      env: {
        PATH: join(root, "bin"),
        HOME: join(root, "home"),
        STATE: root,
        DEV_ETC: join(root, "etc"),
        ...machine.env,
      },
      stdin: "null",
    }).output();
    const log = await Deno.readTextFile(join(root, "log")).catch(() => "");
    await check({
      code,
      text: new TextDecoder().decode(stderr).replaceAll(root, "ROOT"),
      stdout: new TextDecoder().decode(stdout),
      log: log.replaceAll(root, "ROOT").split("\n").filter((line) => line !== ""),
      read: (path) => Deno.readTextFile(join(root, "etc", path)).catch(() => undefined),
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
