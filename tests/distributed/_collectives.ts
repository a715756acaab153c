// One rank that makes every collective call, checks the results, and ends as the argument says.
import process from "node:process";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  broadcastJson,
  checkAgreement,
  firstBeforeOthers,
  gatherBytes,
  gatherNumbers,
  gatherOnFirst,
  means,
  openCommunicator,
} from "../../src/distributed/mod.ts";

const group = openCommunicator({ required: true });
const { rank, size } = group;
const ranks = Array.from({ length: size }, (_, r) => r);
const sum = ranks.reduce((a, b) => a + b, 0);

const x = Float32Array.of(rank, 1);
group.allReduce(x);
assertEquals([...x], [sum, size]);
const most = Float64Array.of(rank);
group.allReduce(most, "max");
assertEquals(most[0], size - 1);
group.allReduce(most, "min");
assertEquals(most[0], size - 1);

const last = Float32Array.of(rank);
group.broadcast(last, size - 1);
assertEquals(last[0], size - 1);
assertEquals([...group.allGather(Uint8Array.of(rank, 7))], ranks.flatMap((r) => [r, 7]));
assertEquals(gatherNumbers(group, [rank, 2 * rank]), ranks.map((r) => [r, 2 * r]));
assertEquals(gatherBytes(group, new Uint8Array(rank).fill(rank)), ranks.map((r) => new Uint8Array(r).fill(r)));
assertEquals(means(group, [rank, 1]), [sum / size, 1]);
assertEquals(broadcastJson(group, rank === 0 ? { lr: 0.3 } : null), { lr: 0.3 });

// Reductions beside each other, and beside a call that waits.
const large = [1, 2, 3].map((value) => new Float32Array(2 ** 18).fill(value * (rank + 1)));
const pending = large.map((data) => group.startAllReduce(data));
await group.barrier();
await Promise.all(pending);
large.forEach((data, i) => assertEquals([data[0], data.at(-1)], [(i + 1) * (sum + size), (i + 1) * (sum + size)]));

// More than moves at once, and nothing from rank 0.
const mine = new Uint8Array(rank === 0 ? 0 : 2 ** 24 + rank).fill(rank);
const onFirst = gatherOnFirst(group, mine);
assertEquals(onFirst?.map(({ length }) => length), rank > 0 ? undefined : ranks.map((r) => r && 2 ** 24 + r));
const places = [0, 2 ** 24 - 1, 2 ** 24, -1];
onFirst?.slice(1).forEach((part, i) => assertEquals(places.map((at) => part.at(at)), new Array(4).fill(i + 1)));

// Rank 0 takes its time; the others must not keep their cores busy meanwhile.
const usage = Deno.build.os === "linux" ? process.cpuUsage() : null;
const ended = await firstBeforeOthers(group, async () => {
  if (rank === 0) await new Promise((resolve) => setTimeout(resolve, 1000));
  return Date.now();
});
const used = usage ? process.cpuUsage(usage) : { user: 0, system: 0 };
assert(rank === 0 || used.user + used.system < 500_000, `waiting for 1 s took ${used.user} + ${used.system} us`);
const [[first], ...others] = gatherNumbers(group, [ended]) as [number[], ...number[][]];
assert(others.every(([time]) => time! >= first!), "rank 0 was not the first");

checkAgreement(group, { lr: "0.3" });

if (size > 1) {
  assertThrows(() => checkAgreement(group, { lr: `${rank}` }), TypeError, "lr is 1 on rank 1 and 0 on rank 0");
}
assertEquals(group.traffic.bytes > 3 * 2 ** 20 && group.traffic.milliseconds > 0, true);

if (rank === size - 1) {
  if (Deno.args[0] === "throw") throw new Error("thrown on the last rank");
  if (Deno.args[0] === "exit") Deno.exit(3);
  if (Deno.args[0] === "exit 0") Deno.exit(0);
  if (Deno.args[0] === "kill") Deno.kill(Deno.pid, "SIGKILL");
  if (Deno.args[0] === "abort") group.abort(4);
}
if (Deno.args[0]) await group.barrier(); // the others wait for it
if (rank === 0) console.log(`${size} ranks of ${group.library}`);
group.close();
group.close();
await assertRejects(() => group.barrier(), Error, "Cannot call MPI_Ibarrier() as the communicator is closed");
