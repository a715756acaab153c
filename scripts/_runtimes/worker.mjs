// Runs bundled tests in a Worker of a page, beside the bundle and its list; tells the page each line.
import { closeAll, installDeno, runTests } from "./tests.mjs";

/** Reads a fixture while the caller waits, which a Worker may. */
function read(name) {
  const request = new XMLHttpRequest();
  request.open("GET", `fixtures/${name}`, false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`Cannot read the fixture ${name}: the server answers ${request.status}`);
  return new Uint8Array(request.response);
}

try {
  const { files, library, filter } = await (await fetch("tests.json")).json();
  installDeno(read);
  const { Device } = await import(library);
  await runTests(files, (line) => postMessage(line), () => closeAll(Device), filter);
} catch (error) {
  postMessage(String(error.stack ?? error));
}
postMessage(null);
