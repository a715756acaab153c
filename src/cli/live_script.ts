/** Script of the live report: takes over the parts that changed, so that the place on the page stays. */
export const LIVE_SCRIPT = `
const live = document.getElementById("live");
const source = new EventSource("/events");
async function update() {
  const answer = await fetch("/");
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = next.title;
  const parts = [...next.body.children].filter(({ id, tagName }) => id !== "live" && tagName !== "SCRIPT");
  const shown = [...document.body.children].filter(({ id, tagName }) => id !== "live" && tagName !== "SCRIPT");
  parts.forEach((part, i) => {
    if (!shown[i]) live.before(part);
    else if (shown[i].outerHTML !== part.outerHTML) shown[i].replaceWith(part);
  });
  shown.slice(parts.length).forEach((part) => part.remove());
  live.textContent = "Live, updated " + new Date().toLocaleTimeString();
}
source.onmessage = update;
source.addEventListener("end", () => {
  source.close();
  live.textContent = "The run has ended: this is its last state.";
});
source.onerror = () => {
  if (source.readyState !== EventSource.CLOSED) live.textContent = "No connection to the run";
};
`;
