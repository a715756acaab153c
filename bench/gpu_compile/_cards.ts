// Cards for which Mesa's RADV compiles without having one, and what a data sheet says of each.
import type { InstructionMix } from "./_assembly.ts";

/** A card; figures are those of its data sheet, f32 without dual issue. */
export interface Card {
  /** Architecture and an example. */
  readonly name: string;
  /** f32 operations a second, a multiply-add counted as two. */
  readonly flops: number;
  /** Bytes a second from memory. */
  readonly bytes: number;
  /** Vector units. */
  readonly simds: number;
  /** Cycles a second. */
  readonly clock: number;
}

/** Cards, by the name that `RADV_FORCE_FAMILY` takes. */
export const CARDS = {
  navi31: { name: "RDNA 3 (RX 7900 XTX)", flops: 30e12, bytes: 0.96e12, simds: 192, clock: 2.4e9 },
  navi21: { name: "RDNA 2 (RX 6900 XT)", flops: 23e12, bytes: 0.512e12, simds: 160, clock: 2.25e9 },
  vega20: { name: "GCN 5 (Radeon VII)", flops: 13.4e12, bytes: 1.02e12, simds: 240, clock: 1.75e9 },
} as const satisfies Record<string, Card>;

/** Name of a card. */
export type Family = keyof typeof CARDS;

/** Code that a card's compiler made of one shader. */
export interface CardCode extends InstructionMix {
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** Mesa's statistics, by its own names. */
  readonly statistics: Readonly<Record<string, number>>;
}

const RADV = new URL("_radv.ts", import.meta.url).pathname;
const DRIVER = "/usr/share/vulkan/icd.d/radeon_icd.json";

/** Reason why this machine cannot compile for these cards; empty where it can. */
export async function reasonAgainstCards(): Promise<string> {
  try {
    await Deno.stat(DRIVER);
    return "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "Mesa's RADV is not installed";
    throw error;
  }
}

/**
 * Compiles SPIR-V files for a card.
 *
 * @throws {Error} If the driver does not take one.
 */
export async function compileFor(family: Family, files: readonly string[]): Promise<CardCode[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", RADV, ...files],
    env: { RADV_FORCE_FAMILY: family, VK_DRIVER_FILES: DRIVER, MESA_SHADER_CACHE_DISABLE: "1", NO_COLOR: "1" },
  }).output();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  if (code !== 0 || lines.length !== files.length + 1) {
    const said = new TextDecoder().decode(stderr).trim();
    throw new Error(`Cannot compile for ${family} as RADV must take all ${files.length} shaders: got ${said}`);
  }
  return lines.slice(1).map((line) => JSON.parse(line) as CardCode);
}
